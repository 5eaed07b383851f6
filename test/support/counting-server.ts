import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { SecureVersion, TLSSocket } from "node:tls";

/** Round trips, as a server sees them. They do not depend on how fast the machine is. */
export interface Counts {
  connections: number;
  fullHandshakes: number;
  resumedHandshakes: number;
  requests: number;
}

/** A server over TLS that counts. */
export interface CountingServer {
  /** Such as `https://localhost:41234`. */
  url: string;
  counts: Counts;
  /** The connections that are open. */
  sockets: Set<Socket>;
  close(): void;
}

/** Starts one on a free loopback port. It keeps idle connections for a minute, and says so only when asked to. */
export async function startCountingServer(
  certificate: string,
  answer: RequestListener,
  { tls = "TLSv1.3", hintSeconds }: { tls?: SecureVersion; hintSeconds?: number } = {},
): Promise<CountingServer> {
  const counts: Counts = { connections: 0, fullHandshakes: 0, resumedHandshakes: 0, requests: 0 };
  const sockets = new Set<Socket>();
  const server = createServer(
    { key: certificate, cert: certificate, maxVersion: tls },
    (request, response) => {
      counts.requests++;
      response.shouldKeepAlive = true;
      response.setHeader("connection", "keep-alive"); // Node.js adds its own hint only where it writes this header itself.
      if (hintSeconds !== undefined) response.setHeader("keep-alive", `timeout=${hintSeconds}`);
      answer(request, response);
    },
  );
  server.keepAliveTimeout = 60_000;
  server.on("connection", (socket: Socket) => {
    counts.connections++;
    sockets.add(socket);
    socket.on("error", () => {}); // A client that hangs up is part of the plan.
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    if (socket.isSessionReused()) counts.resumedHandshakes++;
    else counts.fullHandshakes++;
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    counts,
    sockets,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
