// The client's side of the soak, in a process of its own so that its heap holds nothing else.
// Usage, as a child with a channel: node --expose-gc --no-flush-bytecode test/support/soak-client.ts BASE_URL CALLS TRANSPORT
import { ComplyCube, ComplyCubeError } from "../../src/index.ts";
import { transports } from "../faults/transports.ts";
import { KEY, leaks } from "./leak-scan.ts";
import { seededRandom, soakToken } from "./soak.ts";

/** What the client reports when every call has settled. */
export interface SoakReport {
  tokens: number;
  failures: Record<string, number>;
  /** Calls that did not settle exactly once, got another client's token, or failed with something that is not ours. */
  wrong: string[];
  heapAfterWarmUp: number;
  heapAtEnd: number;
}

const IN_FLIGHT = 64;
const WARM_UP = 2_000;

const [baseUrl = "", callsText = "0", transport] = process.argv.slice(2);
const calls = Number(callsText);
const random = seededRandom(2);
Math.random = () => random() / 200; // Backoff still differs from call to call, and is 20 ms at the most.

const complycube = new ComplyCube({
  apiKey: KEY,
  rateLimit: false,
  baseUrl,
  timeoutMs: 1_000,
  fetch: transports.find(({ name }) => name === transport)?.fetch,
});
const settled = new Uint8Array(calls);
const report: SoakReport = { tokens: 0, failures: {}, wrong: [], heapAfterWarmUp: 0, heapAtEnd: 0 };

async function call(number: number): Promise<void> {
  const clientId = `CLIENT_${number}`;
  try {
    const token = await complycube.token.generate(clientId, { appId: "com.myapp.demo.app" });
    report.tokens++;
    if (token !== soakToken(clientId)) report.wrong.push(`${clientId} got the token of another client`);
  } catch (error) {
    const kind = error instanceof ComplyCubeError ? error.name : `not ours: ${error}`;
    report.failures[kind] = (report.failures[kind] ?? 0) + 1;
    if (!(error instanceof ComplyCubeError)) report.wrong.push(`${clientId} failed with ${error}`);
    if (number % 100 === 0 && leaks(error, [KEY]).length > 0) report.wrong.push(`${clientId} shows the key`);
  }
  settled[number] = (settled[number] ?? 0) + 1;
}

async function run(from: number, to: number): Promise<void> {
  let next = from;
  const worker = async () => {
    while (next < to) await call(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

async function heapUsed(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    await new Promise((resolve) => setTimeout(resolve, 100)); // Sockets that were given up close in a later turn.
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

await run(0, Math.min(WARM_UP, calls));
report.heapAfterWarmUp = await heapUsed();
await run(WARM_UP, calls);
report.heapAtEnd = await heapUsed();
settled.forEach((times, number) => {
  if (times !== 1) report.wrong.push(`CLIENT_${number} settled ${times} times`);
});
process.send?.(report);
