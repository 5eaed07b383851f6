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
  /** Makes the server close, or ignore, the connections that are open now as soon as they are used again. */
  turn(manner: "close" | "silent"): void;
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
  const secured = new Set<Socket>();
  const turned = new Map<Socket, "close" | "silent">();
  const server = createServer(
    { key: certificate, cert: certificate, maxVersion: tls },
    (request, response) => {
      counts.requests++;
      const manner = turned.get(request.socket);
      if (manner === "close") request.socket.destroy();
      if (manner !== undefined) return;
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
    secured.add(socket);
    socket.on("close", () => secured.delete(socket));
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
    turn(manner) {
      for (const socket of secured) turned.set(socket, manner);
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
