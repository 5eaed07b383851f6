import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { onTestFinished } from "vitest";

/** Listens, and then never looks again, so that the system alone takes connections: as many as its queue holds. */
const LISTENER = `
  const { parentPort } = require("node:worker_threads");
  const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });`;
const MOST = 16;
/** Far more than a connection over loopback takes. */
const STALLED_MS = 500;

/** Starts a server whose queue is full: connecting to its URL never ends, for as long as the test runs. */
export async function startUnacceptingServer(): Promise<string> {
  const worker = new Worker(LISTENER, { eval: true });
  const queued: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of queued) socket.destroy();
    await worker.terminate();
  });
  const [port] = (await once(worker, "message")) as [number];
  while (queued.length < MOST) {
    const socket = connect(port, "127.0.0.1").on("error", () => {}); // When the server ends.
    queued.push(socket);
    const connected = await Promise.race([once(socket, "connect"), delay(STALLED_MS)]);
    if (connected === undefined) return `http://127.0.0.1:${port}`;
  }
  throw new Error(`The system took ${MOST} connections that nobody accepted.`);
}
