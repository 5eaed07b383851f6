// Answers POST /v1/tokens with as little work as a socket allows, in a process of its own. Forked by run.ts: it sends
// its port, and then how busy it has been since it was last asked.

import { type AddressInfo, createServer, type Socket } from "node:net";
import { performance } from "node:perf_hooks"; // The global one is typed as a browser's.
import { TOKEN } from "./exchange.ts";

/** How busy the server was, from 0 to 1, since it was last asked. */
export interface Busy {
  busy: number;
}

const body = JSON.stringify({ token: TOKEN });
const ANSWER = Buffer.from(
  [
    "HTTP/1.1 200 OK",
    "date: Mon, 02 Nov 2026 12:00:00 GMT",
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: keep-alive",
    "x-request-id: 7f0c2d0e-3c0a-4b53-9f53-1a2b3c4d5e6f",
    "",
    body,
  ].join("\r\n"),
);
const REFUSAL = Buffer.from("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");

const END_OF_HEAD = Buffer.from("\r\n\r\n");
const END_OF_CHUNKS = Buffer.from("0\r\n\r\n");

/** Where the request that starts at `start` ends; -1 when the rest has not come, `undefined` when it is not ours. */
function endOfRequest(data: Buffer, start: number): number | undefined {
  const headEnd = data.indexOf(END_OF_HEAD, start);
  if (headEnd === -1) return -1;
  const head = data.toString("latin1", start, headEnd);
  if (!head.startsWith("POST /v1/tokens") || !/\nauthorization: \S/i.test(head)) return undefined;
  const bodyStart = headEnd + END_OF_HEAD.length;
  const length = /\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const end = bodyStart + Number(length);
    return end > data.length ? -1 : end;
  }
  const last = data.indexOf(END_OF_CHUNKS, bodyStart);
  return last === -1 ? -1 : last + END_OF_CHUNKS.length;
}

function serve(socket: Socket): void {
  let rest: Buffer | undefined;
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    const data = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    let answers = 0;
    while (start < data.length) {
      const end = endOfRequest(data, start);
      if (end === undefined) return void socket.end(REFUSAL);
      if (end === -1) break;
      answers++;
      start = end;
    }
    rest = start < data.length ? data.subarray(start) : undefined;
    if (answers === 1) socket.write(ANSWER);
    else if (answers > 1) socket.write(Buffer.concat(new Array<Buffer>(answers).fill(ANSWER)));
  });
}

const server = createServer(serve);
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));

let since = performance.eventLoopUtilization();
process.on("message", () => {
  const busy: Busy = { busy: performance.eventLoopUtilization(since).utilization };
  since = performance.eventLoopUtilization();
  process.send?.(busy);
});
process.on("disconnect", () => process.exit());
