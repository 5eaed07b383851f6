import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import {
  all,
  answer,
  bytes,
  hangUp,
  head,
  json,
  reset,
  type Step,
  stall,
  startFaultServer,
} from "../support/fault-server.ts";
import { seededRandom, soakToken } from "../support/soak.ts";
import type { SoakReport } from "../support/soak-client.ts";
import { REFUSAL } from "./scenarios/scenario.ts";
import { transports } from "./transports.ts";

const CALLS = 20_000;
const IN_FLIGHT = 64;
const SEED = 1;

/** Faults, and how many in a thousand requests meet each; together a third. */
const faults: [number, Step][] = [
  [60, json(500, REFUSAL)],
  [50, json(503, REFUSAL)],
  [40, reset],
  [40, hangUp],
  [30, all(bytes("HTTP/1.1 200 OK\r\nx-a"), hangUp)],
  [20, all(bytes(head(500, { "content-length": "99" }), "{"), reset)],
  [20, json(429, REFUSAL, { "retry-after": "0.001" })],
  [20, answer(302, "moved", { location: "/elsewhere" })],
  [15, answer(200, "<html></html>")],
  [15, all(bytes(head(200, { "content-length": "99" }), "{"), hangUp)],
  [15, json(400, REFUSAL)],
  [5, stall],
  [4, all(bytes(head(200, { "content-length": "99" }), "{"), stall)],
];

let dealtUpTo = 0;
const dealt = faults.map(([share, step]): [number, Step] => {
  dealtUpTo += share;
  return [dealtUpTo, step];
});

const minted: Step = (socket, request) =>
  json(200, { token: soakToken(JSON.parse(request.body).clientId) })(socket, request);

test.each(transports)(
  "20,000 calls through a server that fails a third of the time lose nothing over $name",
  async ({ name }) => {
    const random = seededRandom(SEED);
    const step: Step = (socket, request) => {
      const drawn = random() * 1_000;
      return (dealt.find(([upTo]) => drawn < upTo)?.[1] ?? minted)(socket, request);
    };
    const server = await startFaultServer({ steps: [step] });
    const script = fileURLToPath(new URL("../support/soak-client.ts", import.meta.url));
    // Without the flag, code that V8 drops between the two looks at the heap would hide what has grown.
    const execArgv = ["--expose-gc", "--no-flush-bytecode"];
    const child = fork(script, [server.url, String(CALLS), name], { execArgv });
    onTestFinished(() => void child.kill());

    const [report] = (await Promise.race([once(child, "message"), once(child, "exit")])) as [SoakReport];
    // A fetch keeps its idle sockets for a few seconds; one with an unread body it would keep for ever.
    await vi.waitFor(() => expect(server.open(), "open sockets").toBeLessThanOrEqual(IN_FLIGHT), 20_000);
    console.log(
      `soak, seed ${SEED}:`,
      JSON.stringify({ ...report, requests: server.received.length, opened: server.opened() }),
    );

    expect(report.wrong).toEqual([]);
    expect(report.tokens + Object.values(report.failures).reduce((sum, n) => sum + n, 0)).toBe(CALLS);
    expect(report.tokens).toBeGreaterThan(CALLS * 0.8);
    expect(server.received.length).toBeGreaterThan(CALLS * 1.2);
    expect(report.heapAtEnd).toBeLessThanOrEqual(report.heapAfterWarmUp * 1.1);
    expect(server.busy(), "sockets still in use").toBe(0);
  },
);
