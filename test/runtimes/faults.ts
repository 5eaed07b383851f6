import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What a mock that follows the spec cannot do: `/refuses`, `/silent`, `/stalls` and `/busy-once/NAME`, for any page. */
export async function startFaults(): Promise<{ url: string; close(): void }> {
  const wasBusy = new Set<string>();
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "*, authorization, content-type");
    response.setHeader("content-type", "application/json");
    const [, fault, name = ""] = request.url?.split("/") ?? [];
    if (request.method === "OPTIONS") response.writeHead(204).end();
    else if (fault === "refuses") {
      const refusal = { type: "invalid_request", message: "'clientId' is invalid", param: "clientId" };
      response.writeHead(400).end(JSON.stringify(refusal));
    } else if (fault === "stalls") response.writeHead(200).write('{"token":');
    else if (fault === "busy-once") {
      const isBusy = !wasBusy.has(name);
      wasBusy.add(name);
      response.writeHead(isBusy ? 503 : 200).end(isBusy ? "{}" : '{"token":"<CLIENT_TOKEN>"}');
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close().closeAllConnections(),
  };
}
