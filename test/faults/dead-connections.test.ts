import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { ComplyCube } from "../../src/index.ts";
import { watchedClientOf } from "../support/fault-client.ts";
import { answer, hangUp, json, reset, type Step, startFaultServer } from "../support/fault-server.ts";
import { TOKEN } from "../support/leak-scan.ts";
import { settle } from "../support/settle.ts";
import { MINTED, REFUSAL } from "./scenarios/scenario.ts";
import { transports } from "./transports.ts";

const minted = { token: TOKEN };
/** Long enough for the retry that is answered, on a machine that stops for a moment. */
const TIMEOUT_MS = 2_000;

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Every connection answers once; what it is asked after that goes this way. */
function oncePerConnection(after: Step): Step {
  const used = new Set<Socket>();
  return (socket, request) => {
    if (used.has(socket)) return after(socket, request);
    used.add(socket);
    return answer(200, MINTED)(socket, request);
  };
}

describe.each(transports)("a dead connection over $name", ({ name, fetch }) => {
  test.each([
    ["closed", hangUp],
    ["reset", reset],
  ])("that the server has just %s costs no backoff, and one more request", async (_, breaking) => {
    const server = await startFaultServer({ steps: [oncePerConnection(breaking)] });
    const { complycube, events } = watchedClientOf(server, { fetch });
    await warmUp(complycube);

    expect(await settle(complycube)).toEqual(minted);

    expect(events.map(({ attempt, retryInMs }) => [attempt, retryInMs])).toEqual([
      [1, undefined],
      [1, 0],
      [2, undefined],
    ]);
    expect(server.opened()).toBe(2);
  });

  test("takes a place in the rate limit, and counts as a retry", async () => {
    const server = await startFaultServer({ steps: [oncePerConnection(hangUp)] });
    let places = 0;
    const rateLimit = { acquire: async () => void places++ };
    const { complycube } = watchedClientOf(server, { fetch, rateLimit });
    await warmUp(complycube);

    await warmUp(complycube);
    const { error } = await settle(complycube, { maxRetries: 0 });

    expect(error).toMatchObject({ name: "ConnectionError", attempts: 1 });
    expect(places).toBe(4);
  });

  test("is sent again at once the first time only", async () => {
    const server = await startFaultServer({
      steps: [answer(200, MINTED), hangUp, json(503, REFUSAL), hangUp],
    });
    const { complycube, events } = watchedClientOf(server, { fetch, maxRetries: 3 });
    await warmUp(complycube);

    await warmUp(complycube);

    expect(events.slice(1).map(({ retryInMs }) => retryInMs)).toEqual([0, 500, 1_000, undefined]);
  });

  test("that is fresh waits as usual where a fresh one can be told", async () => {
    const server = await startFaultServer({ steps: [hangUp, answer(200, MINTED)] });
    const { complycube, events } = watchedClientOf(server, { fetch });

    expect(await settle(complycube)).toEqual(minted);

    expect(events[0]?.retryInMs).toBe(name === "node:https" ? 250 : 0);
  });

  test("that has gone silent is given up by timeoutMs, and the retry opens another", async () => {
    const server = await startFaultServer({ steps: [oncePerConnection(silence)] });
    const { complycube, events } = watchedClientOf(server, { fetch, timeoutMs: TIMEOUT_MS });
    await warmUp(complycube);

    expect(await settle(complycube)).toEqual(minted);

    expect(events.map(({ errorCode }) => errorCode)).toEqual([undefined, "timeout", undefined]);
    if (name === "node:https") expect(server.opened()).toBe(2); // Over a fetch there may be one more.
  });

  if (name === "node:https") {
    // Not registered over a fetch, where each call may meet another of the silent ones, for as many attempts as it has.
    test("takes the idle ones beside it along", async () => {
      const server = await startFaultServer({ steps: [oncePerConnection(silence)] });
      const { complycube, events } = watchedClientOf(server, {
        fetch,
        timeoutMs: TIMEOUT_MS,
        maxRetries: 1,
      });
      await Promise.all(Array.from({ length: 5 }, () => settle(complycube)));
      const warm = server.opened();
      events.length = 0;

      expect(await settle(complycube)).toEqual(minted);

      expect(warm).toBe(5);
      expect(events.map(({ errorCode }) => errorCode)).toEqual(["timeout", undefined]);
      await vi.waitFor(() => expect(server.open()).toBe(1), 10_000);
    });
  }

  test("of a server that is stopped as a whole settles in time, and works again when it goes on", async () => {
    const { child, url } = await startServerProcess();
    const { complycube } = watchedClientOf({ url }, { fetch, timeoutMs: TIMEOUT_MS, maxRetries: 1 });
    await warmUp(complycube);

    child.kill("SIGSTOP");
    const startedAt = performance.now();
    const { error } = await settle(complycube);
    const elapsedMs = performance.now() - startedAt;
    child.kill("SIGCONT");

    expect(error).toMatchObject({ name: "TimeoutError", code: "timeout", attempts: 2 });
    expect(elapsedMs).toBeLessThan(2 * TIMEOUT_MS + 250 + 10_000);
    expect(await settle(complycube)).toEqual(minted);
  });
});

/** Makes a call, and waits until a fetch has its connection back; the default has it at once. */
async function warmUp(complycube: ComplyCube): Promise<void> {
  await settle(complycube);
  await delay(50);
}

/** Reads nothing more and answers nothing more. */
const silence: Step = (socket) => {
  socket.pause();
  return new Promise(() => {});
};

/** A server in a process of its own, which can be stopped. */
async function startServerProcess(): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(fileURLToPath(new URL("../support/minting-server.ts", import.meta.url)));
  onTestFinished(() => void child.kill("SIGKILL"));
  const [url] = await once(child, "message");
  return { child, url };
}
