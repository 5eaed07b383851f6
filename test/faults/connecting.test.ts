import { getEventListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { clientOf } from "../support/fault-client.ts";
import { settle } from "../support/settle.ts";
import { startUnacceptingServer } from "../support/unaccepting-server.ts";
import { transports } from "./transports.ts";

const PROMPT_MS = 5_000;

// Elsewhere a full queue refuses, or is not this short.
const skipped = process.platform !== "linux";
if (skipped) console.warn("SKIPPED: the tests of a connection that is never taken, which need Linux.");

describe.skipIf(skipped).each(transports)("a connection that is never taken, over $name", ({ fetch }) => {
  test("is ended by timeoutMs", async () => {
    const url = await startUnacceptingServer();
    const complycube = clientOf({ url }, { fetch, timeoutMs: 200, maxRetries: 0 });

    const startedAt = performance.now();
    const { error } = await settle(complycube);

    expect(error).toMatchObject({ name: "TimeoutError", code: "timeout", timeoutMs: 200, attempts: 1 });
    expect(performance.now() - startedAt).toBeLessThan(PROMPT_MS);
  });

  test("is ended at once when the caller aborts", async () => {
    const url = await startUnacceptingServer();
    const complycube = clientOf({ url }, { fetch, timeoutMs: 60_000 });
    const caller = new AbortController();
    const call = settle(complycube, { signal: caller.signal });
    await delay(50);

    const abortedAt = performance.now();
    caller.abort("the user left");

    expect(await call).toEqual({ error: "the user left" });
    expect(performance.now() - abortedAt).toBeLessThan(PROMPT_MS);
    expect(getEventListeners(caller.signal, "abort")).toEqual([]);
  });
});
