import { EventEmitter, once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { listen } from "../support/listen.ts";

/** How long it waits for what was asked to happen, before it says that it did not. */
const PATIENCE_MS = 5_000;

/**
 * What a mock that follows the spec cannot do, for any page: `/refuses`, `/busy-once/NAME`, `/resets-once/NAME`,
 * `/closes-kept/NAME` (which answers the first request of each connection alone), `/silent/NAME` and `/stalls/NAME`.
 * `/arrived/NAME` answers `yes` once a request to one of the last two is there, `/left/NAME` once its caller has hung up,
 * and `/closed/NAME` once a kept connection was closed.
 */
export function startFaults(): Promise<{ url: string; close(): Promise<void> }> {
  const seen = new Set<string>();
  const used = new WeakSet<Socket>();
  const isFirst = (url: string) => !seen.has(url) && seen.add(url) !== undefined;
  const happened = new Set<string>();
  const news = new EventEmitter();
  const tell = (path: string) => {
    happened.add(path);
    news.emit(path);
  };
  const hold = (response: ServerResponse, name: string) => {
    tell(`/arrived/${name}`);
    response.on("close", () => tell(`/left/${name}`)); // It is never ended from here.
  };

  return listen(async (request, response) => {
    request.resume();
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "*, authorization, content-type");
    response.setHeader("content-type", "application/json");
    const { url = "" } = request;
    const [, path, name = ""] = url.split("/");
    if (request.method === "OPTIONS") response.writeHead(204).end();
    else if (path === "refuses") {
      const refusal = { type: "invalid_request", message: "'clientId' is invalid", param: "clientId" };
      response.writeHead(400).end(JSON.stringify(refusal));
    } else if (path === "busy-once") {
      const isBusy = isFirst(url);
      response.writeHead(isBusy ? 503 : 200).end(isBusy ? "{}" : '{"token":"<CLIENT_TOKEN>"}');
    } else if (path === "resets-once" && isFirst(url)) {
      request.socket.resetAndDestroy();
    } else if (path === "closes-kept" && used.has(request.socket)) {
      tell(`/closed/${name}`);
      request.socket.destroy();
    } else if (path === "resets-once" || path === "closes-kept") {
      used.add(request.socket);
      response.end('{"token":"<CLIENT_TOKEN>"}');
    } else if (path === "silent") hold(response, name);
    else if (path === "stalls") {
      response.writeHead(200).write('{"token":');
      hold(response, name);
    } else if (path === "arrived" || path === "left" || path === "closed") {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const isSo = happened.has(url) || (await once(news, url, { signal }).then(Boolean, () => false));
      response.end(isSo ? "yes" : "no");
    }
  });
}
