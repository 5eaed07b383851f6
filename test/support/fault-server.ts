import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";

/** One request that reached the server whole. */
export interface Received {
  /** Which request this was, from 1, over all connections. */
  number: number;
  method: string;
  path: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
}

/**
 * What a fixture writes once a request has arrived. Its promise resolves when the answer is complete and the
 * connection may carry the next one; a stall never resolves.
 */
export type Step = (socket: Socket, request: Received) => Promise<void> | void;

/** How a fault server behaves. */
export interface FaultServerOptions {
  /** The nth request gets the nth step; the last step repeats. */
  steps: readonly Step[];
  /** Runs before anything is read; a connection that it destroys or pauses delivers no request. */
  onConnection?: ((socket: Socket) => void) | undefined;
}

/** A server on a raw socket, which can be as rude as the step says. */
export interface FaultServer {
  /** Such as `http://127.0.0.1:41234`. */
  url: string;
  /** The requests that arrived whole, in order. */
  received: Received[];
  /** How many connections were ever opened. */
  opened(): number;
  /** How many connections are open now. */
  open(): number;
  /** How many open connections have an answer that is not complete. */
  busy(): number;
  /** Ends it before the test does. */
  close(): Promise<void>;
}

/** Starts a server on a free loopback port, for as long as the test runs. */
export async function startFaultServer({ steps, onConnection }: FaultServerOptions): Promise<FaultServer> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  const answering = new Set<Socket>();
  let opened = 0;

  const server = createServer((socket) => {
    opened++;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {}); // A client that hangs up is part of the plan.
    socket.on("close", () => {
      sockets.delete(socket);
      answering.delete(socket);
    });
    onConnection?.(socket);
    if (socket.destroyed || socket.isPaused()) return;

    let unread = Buffer.alloc(0);
    const next = () => {
      if (answering.has(socket) || socket.destroyed) return;
      const parsed = parseRequest(unread);
      if (parsed === undefined) return;
      unread = unread.subarray(parsed.length);
      const request = { ...parsed.request, number: received.length + 1 };
      received.push(request);
      answering.add(socket);
      const step = steps[Math.min(request.number, steps.length) - 1];
      Promise.resolve(step?.(socket, request)).then(() => {
        answering.delete(socket);
        next();
      });
    };
    socket.on("data", (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      next();
    });
  });

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  onTestFinished(close);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    opened: () => opened,
    open: () => sockets.size,
    busy: () => answering.size,
    close,
  };
}

/** A loopback address on which nothing listens. */
export async function closedPort(): Promise<string> {
  const server = await startFaultServer({ steps: [] });
  await server.close();
  return server.url;
}

function parseRequest(bytes: Buffer): { request: Omit<Received, "number">; length: number } | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const [method = "", path = ""] = first.split(" ");
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const length = end + 4 + Number(headers["content-length"] ?? 0);
  if (bytes.length < length) return undefined;
  return { request: { method, path, headers, body: bytes.toString("utf8", end + 4, length) }, length };
}

type Bytes = string | Buffer;
type Headers = Record<string, string>;

/** Writes these bytes as they are, in one go, and leaves the connection open. */
export function bytes(...parts: Bytes[]): Step {
  return (socket) => void socket.write(Buffer.concat(parts.map((part) => Buffer.from(part as string))));
}

/** The head of an answer, up to and with the empty line. */
export function head(status: number | string, headers: Headers = {}): string {
  const line = typeof status === "number" ? `${status} Reason` : status;
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${line}\r\n${fields.join("")}\r\n`;
}

/** A whole, polite answer with its length declared. */
export function answer(status: number | string, body: Bytes = "", headers: Headers = {}): Step {
  return bytes(head(status, { "content-length": String(Buffer.byteLength(body)), ...headers }), body);
}

/** A whole answer whose body is JSON. */
export function json(status: number, body: unknown, headers: Headers = {}): Step {
  return answer(status, JSON.stringify(body), { "content-type": "application/json", ...headers });
}

/** One chunk of a chunked body. */
export function chunk(body: Bytes): Buffer {
  return Buffer.concat([
    Buffer.from(`${Buffer.byteLength(body).toString(16)}\r\n`),
    Buffer.from(body as string),
    Buffer.from("\r\n"),
  ]);
}

/** A whole answer with a chunked body. */
export function chunked(status: number, chunks: Bytes[], headers: Headers = {}): Step {
  return bytes(
    head(status, { "transfer-encoding": "chunked", ...headers }),
    ...chunks.map(chunk),
    "0\r\n\r\n",
  );
}

/** The steps one after the other, on the same request. */
export function all(...steps: Step[]): Step {
  return async (socket, request) => {
    for (const step of steps) await step(socket, request);
  };
}

/** Does nothing more, and keeps the connection open. */
export const stall: Step = () => new Promise(() => {});

/** Closes the connection in good order. */
export const hangUp: Step = (socket) => new Promise((resolve) => socket.end(resolve));

/** Breaks the connection with a reset. */
export const reset: Step = (socket) => void socket.resetAndDestroy();

/** Waits. */
export function pause(ms: number): Step {
  return async () => void (await delay(ms));
}

/** Writes the same bytes again and again, so that the connection is never quiet and the answer never complete. */
export function drip(part: Bytes, everyMs = 10): Step {
  return async (socket) => {
    while (!socket.destroyed) {
      socket.write(part);
      await delay(everyMs);
    }
  };
}
