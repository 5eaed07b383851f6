import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { ComplyCube } from "../../src/index.ts";
import { clientOf } from "../support/fault-client.ts";
import {
  all,
  answer,
  bytes,
  chunk,
  chunked,
  drip,
  hangUp,
  head,
  json,
  pause,
  type Step,
  stall,
  startFaultServer,
} from "../support/fault-server.ts";
import { TOKEN } from "../support/leak-scan.ts";
import { settle, TARGET } from "../support/settle.ts";
import { MINTED, REFUSAL } from "./scenarios/scenario.ts";
import { transports } from "./transports.ts";

const ONE_CALL = fileURLToPath(new URL("../support/one-call.ts", import.meta.url));
const CALLS = 40;
const PROMPT_MS = 5_000;

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(transports)("sockets over $name", ({ fetch }) => {
  test.each<[string, Step]>([
    ["a token", answer(200, MINTED)],
    ["a refusal", json(400, REFUSAL)],
    ["a refusal in chunks", chunked(500, ["a", "b"])],
    ["HTML instead of a token", answer(200, "<html></html>")],
    ["nothing", bytes(head(204))],
  ])("are used again after %s", async (_, step) => {
    const server = await startFaultServer({ steps: [step] });
    const complycube = clientOf(server, { maxRetries: 0, fetch });

    for (let call = 0; call < CALLS; call++) await settle(complycube);

    expect(server.received).toHaveLength(CALLS);
    expect(server.opened()).toBeLessThanOrEqual(2);
    expect(server.busy()).toBe(0);
  });

  test.each<[string, Step]>([
    ["a redirect with a body", answer(302, "x".repeat(100_000), { location: "/" })],
    [
      "a redirect whose body never ends",
      all(bytes(head(302, { location: "/", "transfer-encoding": "chunked" })), drip(chunk("x".repeat(999)))),
    ],
    [
      "over 1 MiB of error",
      all(bytes(head(500, { "content-length": "9999999" }), "x".repeat(1_100_000)), stall),
    ],
    [
      "over 1 MiB of success",
      all(bytes(head(200, { "content-length": "9999999" }), "x".repeat(1_100_000)), stall),
    ],
    ["a gap in the body", all(bytes(head(200, { "content-length": "99" }), "{"), stall)],
  ])("are given back after %s", async (_, step) => {
    const server = await startFaultServer({ steps: [step] });
    const complycube = clientOf(server, { maxRetries: 0, timeoutMs: 500, fetch });

    await Promise.all(Array.from({ length: CALLS }, () => settle(complycube)));

    await vi.waitFor(() => expect(server.busy()).toBe(0), PROMPT_MS);
  });

  test("that the server has closed between two calls cost the second a retry at most", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const server = await startFaultServer({ steps: [all(answer(200, MINTED), pause(20), hangUp)] });
    const complycube = clientOf(server, { fetch });

    for (let call = 0; call < 10; call++) {
      expect(await complycube.token.generate("CLIENT_ID", TARGET)).toBe(TOKEN);
      await new Promise((resolve) => setTimeout(resolve, 19 + (call % 3))); // Around the moment of the close.
    }
  });
});

describe("a process that has made its call", () => {
  test.each<[string, Step, string]>([
    ["token", answer(200, MINTED), `token ${TOKEN.length}`],
    ["refused", json(400, REFUSAL), "InvalidRequestError"],
    ["aborted", json(503, REFUSAL, { "retry-after": "50" }), "aborted"],
    ["timed-out", stall, "TimeoutError"],
    ["key-never-comes", stall, "TimeoutError"],
  ])("ends by itself: %s", async (manner, step, printed) => {
    const server = await startFaultServer({ steps: [step] });

    const { stdout, stderr, lingeredMs } = await oneCall(server.url, manner);

    expect(stdout.trim()).toBe(printed);
    expect(stderr).toBe("");
    expect(lingeredMs).toBeLessThan(30_000); // Half of the deadline that a timer left behind would wait for.
  });

  test.each([
    ["timed-out", "TimeoutError"],
    ["preconnect", "opened"],
  ])("ends by itself in the middle of a handshake: %s", async (manner, printed) => {
    const server = await startFaultServer({ steps: [stall], onConnection: (socket) => socket.resume() });
    const baseUrl = server.url.replace("http:", "https:");

    const { stdout, stderr, lingeredMs } = await oneCall(baseUrl, manner);

    expect(stdout.trim()).toBe(printed);
    expect(stderr).toBe("");
    expect(server.opened()).toBe(1);
    expect(lingeredMs).toBeLessThan(8_000); // What a fetch has begun takes 10 s to be given up.
  });
});

const TIMERS = "/proc/net/tcp";
const skipped = process.platform !== "linux";
if (skipped) console.warn(`SKIPPED: the tests of TCP keep-alive, which need ${TIMERS} of Linux.`);

const KEEP_ALIVE_TIMER = "02";

/** Returns in how many seconds the kernel will probe the connection between two ports of this machine. */
function secondsToProbe(from: number, to: number): number | undefined {
  const [local = "", remote = ""] = [from, to].map(
    (port) => `:${port.toString(16).toUpperCase().padStart(4, "0")}`,
  );
  const rows = readFileSync(TIMERS, "utf8")
    .split("\n")
    .map((row) => row.trim().split(/\s+/));
  const row = rows.find(([, own, peer]) => own?.endsWith(local) && peer?.endsWith(remote));
  const [timer, ticks = ""] = row?.[5]?.split(":") ?? [];
  return timer === KEEP_ALIVE_TIMER ? Number.parseInt(ticks, 16) / 100 : undefined;
}

describe.skipIf(skipped)("an idle connection over node:https", () => {
  test.each<[string, (complycube: ComplyCube) => unknown]>([
    ["that a call has left", settle],
    ["that was opened in advance", (complycube) => complycube.preconnect()],
  ])("%s is probed every 15 s, so that a dead one is found", async (_, open) => {
    const ports: number[] = [];
    const server = await startFaultServer({
      steps: [answer(200, MINTED)],
      onConnection: ({ remotePort = 0 }) => void ports.push(remotePort),
    });

    await open(clientOf(server));

    await vi.waitFor(() => {
      const seconds = secondsToProbe(ports[0] ?? 0, Number(new URL(server.url).port));
      expect(seconds).toBeGreaterThan(10);
      expect(seconds).toBeLessThanOrEqual(15);
    }, PROMPT_MS);
  });
});

/** Runs a process that makes one call, and measures how long it stays after it has printed what came of it. */
async function oneCall(baseUrl: string, manner: string) {
  const running = promisify(execFile)(process.execPath, [ONE_CALL, baseUrl, manner]);
  let printedAt = 0;
  running.child.stdout?.on("data", () => {
    printedAt = performance.now();
  });
  const { stdout, stderr } = await running;
  return { stdout, stderr, lingeredMs: performance.now() - printedAt };
}
