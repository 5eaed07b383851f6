import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

/**
 * A way to a server on which every new connection takes its time to open, as over a long distance, and every request its
 * own, up to `jitterMs`. Without TLS its client takes a connection for open at once.
 */
export async function startSlowConnections(url: string, openMs: number, jitterMs = 0) {
  const server = createServer((near) => {
    near.on("error", () => near.destroy());
    setTimeout(() => {
      const far = connect(Number(new URL(url).port), "127.0.0.1");
      far.on("error", () => near.destroy()).on("close", () => near.destroy());
      near.on("close", () => far.destroy());
      far.pipe(near);
      near.on("data", (request) => setTimeout(() => far.write(request), Math.random() * jitterMs));
    }, openMs);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: url.replace(/\d+$/, String((server.address() as AddressInfo).port)),
    close: () => server.close(),
  };
}
