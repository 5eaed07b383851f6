import { getEventListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ComplyCubeOptions } from "../../src/index.ts";
import { clientOf, clientOver, watchedClientOf } from "../support/fault-client.ts";
import {
  all,
  answer,
  bytes,
  chunk,
  drip,
  type FaultServer,
  head,
  json,
  reset,
  type Step,
  stall,
  startFaultServer,
} from "../support/fault-server.ts";
import { KEY } from "../support/leak-scan.ts";
import { settle } from "../support/settle.ts";
import { MINTED, REFUSAL } from "./scenarios/scenario.ts";
import { transports } from "./transports.ts";

/** Far more than any test takes, so that what ends sooner was ended by the abort. */
const timeoutMs = 60_000;
const PROMPT_MS = 5_000;

const inChunks = { "transfer-encoding": "chunked" };

const unhandled = vi.fn();

beforeEach(() => {
  process.on("unhandledRejection", unhandled);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

/** When the abort comes, by the answer during which it comes. */
const moments: [string, Step, number][] = [
  ["in flight", stall, 1],
  ["while reading the head", all(bytes("HTTP/1.1 200 OK\r\nx-a: b\r\n"), stall), 1],
  ["while reading the body of a 200", all(bytes(head(200, { "content-length": "99" }), "{"), stall), 1],
  ["while reading the chunks of a 200", all(bytes(head(200, inChunks), chunk("{")), stall), 1],
  ["while a 200 drips", all(bytes(head(200, inChunks)), drip(chunk(" "))), 1],
  ["while reading the body of a 500", all(bytes(head(500, inChunks), chunk("{")), stall), 1],
  ["during a wait that the API asked for", json(429, REFUSAL, { "retry-after": "50" }), 1],
];

describe.each(transports)("abort over $name", ({ fetch }) => {
  describe.each(moments)("%s", (_, step, requests) => {
    test.each([
      ["an Error", new Error("the user left")],
      ["a string", "the user left"],
      ["an object", { left: true }],
      ["null", null],
      ["no reason", undefined],
    ])("rejects at once with the caller's own reason: %s", async (_, reason) => {
      const server = await startFaultServer({ steps: [step] });
      const caller = new AbortController();
      const timers = activeTimers();
      const call = settle(client(server, { fetch }), { signal: caller.signal });
      await vi.waitFor(() => expect(server.received).toHaveLength(requests), PROMPT_MS);
      await new Promise((resolve) => setTimeout(resolve, 30)); // Into the body, or the backoff.

      const abortedAt = performance.now();
      caller.abort(reason);
      const { error } = await call;

      expect(error).toBe(caller.signal.reason);
      if (reason !== undefined) expect(error).toBe(reason);
      expect(performance.now() - abortedAt).toBeLessThan(PROMPT_MS);
      expect(server.received).toHaveLength(requests);
      expect(getEventListeners(caller.signal, "abort")).toEqual([]);
      await vi.waitFor(() => expect(server.busy()).toBe(0), PROMPT_MS);
      await vi.waitFor(() => expect(activeTimers()).toBeLessThanOrEqual(timers), PROMPT_MS);
    });
  });

  test("sends nothing for a signal that is aborted before", async () => {
    const server = await startFaultServer({ steps: [answer(200, MINTED)] });
    const { complycube, events } = watchedClientOf(server, { fetch, timeoutMs });
    const signal = AbortSignal.abort("too late");

    const { error } = await settle(complycube, { signal });

    expect(error).toBe("too late");
    expect(server.opened()).toBe(0);
    expect(events).toEqual([]);
  });

  test("rejects with the reason of AbortSignal.timeout", async () => {
    const server = await startFaultServer({ steps: [stall] });
    const signal = AbortSignal.timeout(50);

    const { error } = await settle(client(server, { fetch }), { signal });

    expect(error).toBe(signal.reason);
    expect(error).toMatchObject({ name: "TimeoutError" });
    expect(error).toBeInstanceOf(DOMException);
  });

  test.each<[string, Step[]]>([
    ["a token", [answer(200, MINTED)]],
    ["a refusal", [json(400, REFUSAL)]],
    ["a broken connection, then a token", [reset, answer(200, MINTED)]],
    ["an answer that is no token", [answer(200, "")]],
  ])("leaves no listener and no timer after %s", async (_, steps) => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const server = await startFaultServer({ steps });
    const caller = new AbortController();
    const timers = activeTimers();

    await settle(client(server, { fetch }), { signal: caller.signal });

    expect(getEventListeners(caller.signal, "abort")).toEqual([]);
    await vi.waitFor(() => expect(activeTimers()).toBeLessThanOrEqual(timers), PROMPT_MS);
  });

  test("leaves no listener after a timeout", async () => {
    const server = await startFaultServer({ steps: [stall] });
    const caller = new AbortController();

    const { error } = await settle(client(server, { fetch }), {
      signal: caller.signal,
      timeoutMs: 50,
      maxRetries: 0,
    });

    expect(error).toMatchObject({ name: "TimeoutError", code: "timeout" });
    expect(getEventListeners(caller.signal, "abort")).toEqual([]);
  });

  test("one signal ends 64 calls, without a warning about its listeners", async () => {
    const warned = vi.fn();
    process.on("warning", warned);
    const server = await startFaultServer({ steps: [stall] });
    const caller = new AbortController();
    const calls = Array.from({ length: 64 }, () =>
      settle(client(server, { fetch }), { signal: caller.signal }),
    );
    await vi.waitFor(() => expect(server.received).toHaveLength(64), PROMPT_MS);

    caller.abort("enough");
    const settled = await Promise.all(calls);
    process.off("warning", warned);

    expect(settled.map(({ error }) => error)).toEqual(Array(64).fill("enough"));
    expect(getEventListeners(caller.signal, "abort")).toEqual([]);
    expect(warned).not.toHaveBeenCalled();
  });

  test("tells onAttempt of the attempt that was ended", async () => {
    const server = await startFaultServer({ steps: [stall] });
    const caller = new AbortController();
    const { complycube, events } = watchedClientOf(server, { fetch, timeoutMs });
    const call = settle(complycube, { signal: caller.signal });
    await vi.waitFor(() => expect(server.received).toHaveLength(1), PROMPT_MS);

    caller.abort();
    await call;

    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      attempt: 1,
      errorCode: "aborted",
      retryInMs: undefined,
      status: undefined,
    });
  });
});

describe("abort where the fetch option takes no notice of its signal", () => {
  const cancelled = vi.fn();

  test.each<[string, () => unknown]>([
    ["a web stream", () => new ReadableStream({ cancel: cancelled })],
    [
      "a web stream that cannot be cancelled",
      () =>
        new ReadableStream({
          cancel() {
            cancelled();
            throw new Error("already gone");
          },
        }),
    ],
    ["a stream of Node.js, as in node-fetch", () => ({ destroy: cancelled })],
  ])("rejects at once in flight, and throws the late answer away: %s", async (_, body) => {
    cancelled.mockClear();
    const late = deferred<Response>();
    const caller = new AbortController();
    const call = settle(
      local(() => late.promise),
      { signal: caller.signal },
    );

    caller.abort("now");
    const { error } = await call;
    late.resolve({ status: 200, headers: new Headers(), body: body() } as Response);

    expect(error).toBe("now");
    await vi.waitFor(() => expect(cancelled).toHaveBeenCalledOnce(), PROMPT_MS);
  });

  test("rejects at once in a body that never ends, and cancels it", async () => {
    cancelled.mockClear();
    const pulled = deferred<void>();
    const body = new ReadableStream({
      async pull(controller) {
        pulled.resolve();
        await new Promise((resolve) => setTimeout(resolve, 1));
        controller.enqueue(new Uint8Array([32]));
      },
      cancel: cancelled,
    });
    const caller = new AbortController();
    // A length that is a lie: nothing holds a stand-in's body to it.
    const call = settle(
      local(async () => new Response(body, { headers: { "content-length": "5" } })),
      {
        signal: caller.signal,
      },
    );
    await pulled.promise;

    caller.abort("now");
    const { error } = await call;

    expect(error).toBe("now");
    await vi.waitFor(() => expect(cancelled).toHaveBeenCalledOnce(), PROMPT_MS);
  });

  const ends: [string, () => unknown][] = [
    ["returns nothing", () => undefined],
    ["rejects", () => Promise.reject(new Error("already gone"))],
    [
      "throws",
      () => {
        throw new Error("already gone");
      },
    ],
  ];

  test.each(ends)("lets nothing escape from a stand-in stream whose cancel %s", async (_, cancel) => {
    const escaped = vi.fn();
    process.on("uncaughtException", escaped);
    const reader = { read: () => new Promise(() => {}), cancel };
    const answering = async () =>
      ({ status: 200, headers: new Headers(), body: { getReader: () => reader } }) as unknown as Response;
    const caller = new AbortController();
    const call = settle(local(answering), { signal: caller.signal });
    await delay(5);

    caller.abort("now");
    const { error } = await call;
    const late = await settle(local(answering, { timeoutMs: 20, maxRetries: 0 }));
    await delay(20);
    process.off("uncaughtException", escaped);

    expect(error).toBe("now");
    expect(late.error).toMatchObject({ code: "timeout" });
    expect(escaped).not.toHaveBeenCalled();
  });

  test("swallows a late rejection", async () => {
    const late = deferred<Response>();
    const caller = new AbortController();
    const call = settle(
      local(() => late.promise),
      { signal: caller.signal },
    );

    caller.abort("now");
    const { error } = await call;
    late.reject(new Error("socket hang up"));
    await new Promise((resolve) => setTimeout(resolve, 10));

    expect(error).toBe("now");
  });
});

describe("abort during a slow apiKey function", () => {
  test("rejects at once, and sends nothing when the key comes after all", async () => {
    const key = deferred<string>();
    const send = vi.fn(async () => new Response(MINTED));
    const caller = new AbortController();
    const call = settle(local(send, { apiKey: () => key.promise }), { signal: caller.signal });

    caller.abort("now");
    const { error } = await call;
    key.resolve(KEY);
    await new Promise((resolve) => setTimeout(resolve, 10));

    expect(error).toBe("now");
    expect(send).not.toHaveBeenCalled();
    expect(getEventListeners(caller.signal, "abort")).toEqual([]);
  });

  test("rejects at once when the apiKey function itself aborts", async () => {
    const send = vi.fn(async () => new Response(MINTED));
    const caller = new AbortController();
    const apiKey = () => {
      caller.abort("from within");
      return KEY;
    };

    const { error } = await settle(local(send, { apiKey }), { signal: caller.signal });

    expect(error).toBe("from within");
    expect(send).not.toHaveBeenCalled();
  });
});

describe("abort during backoff", () => {
  const busy = async () => new Response(null, { status: 503 });

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    vi.spyOn(Math, "random").mockReturnValue(0.999);
  });

  test("rejects at once, with the timer cleared", async () => {
    const caller = new AbortController();
    const send = vi.fn(busy);
    const call = settle(local(send), { signal: caller.signal });
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
    await flush();

    caller.abort("now");
    const { error } = await call; // No time passes: the clock stands still.

    expect(error).toBe("now");
    expect(send).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(caller.signal, "abort")).toEqual([]);
  });

  test("rejects, and sends nothing more, when the abort comes in the very tick in which the backoff ends", async () => {
    const caller = new AbortController();
    const send = vi.fn(busy);
    const call = settle(local(send), { signal: caller.signal });
    await flush();

    vi.advanceTimersByTime(500);
    caller.abort("now");
    const { error } = await call;

    expect(error).toBe("now");
    expect(send).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(caller.signal, "abort")).toEqual([]);
  });

  test("rejects at once when onAttempt aborts", async () => {
    const caller = new AbortController();
    const send = vi.fn(busy);
    const onAttempt = () => caller.abort("from the hook");

    const { error } = await settle(local(send, { onAttempt }), { signal: caller.signal });

    expect(error).toBe("from the hook");
    expect(send).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the timer of an attempt", () => {
  test.each<[string, () => Promise<Response>]>([
    ["a token", async () => new Response(MINTED)],
    ["a refusal", async () => new Response("{}", { status: 400 })],
    [
      "a body that breaks",
      async () => new Response(new ReadableStream({ start: (it) => it.error(new Error("cut")) })),
    ],
    ["an answer that is no Response", async () => ({}) as Response],
  ])("is cleared after %s", async (_, send) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });

    await settle(local(send), { maxRetries: 0 });

    expect(vi.getTimerCount()).toBe(0);
  });

  test("is cleared when it has fired", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const call = settle(
      local(() => new Promise(() => {})),
      { maxRetries: 0 },
    );

    await vi.advanceTimersByTimeAsync(timeoutMs);
    const { error } = await call;

    expect(error).toMatchObject({ name: "TimeoutError", timeoutMs });
    expect(vi.getTimerCount()).toBe(0);
  });
});

function client(server: FaultServer, options: ComplyCubeOptions) {
  return clientOf(server, { timeoutMs, ...options });
}

function local(fetch: () => Promise<Response>, options?: ComplyCubeOptions) {
  return clientOver(fetch, { timeoutMs, ...options });
}

/** A promise that the test settles. */
function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** Lets every promise that can settle do so, without a timer. */
async function flush(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function activeTimers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
}
