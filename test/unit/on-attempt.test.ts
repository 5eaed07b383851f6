import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type AttemptEvent,
  ComplyCube,
  type ComplyCubeApiError,
  type ComplyCubeOptions,
  type RequestOptions,
} from "../../src/index.ts";
import { KEY, leaks, TOKEN } from "../support/leak-scan.ts";

const CLIENT_ID = "5eb04fcd0f3e360008035eb1";
const MINTED = JSON.stringify({ token: TOKEN });

const unhandled = vi.fn();

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.001);
  process.on("unhandledRejection", unhandled);
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await new Promise((resolve) => setTimeout(resolve, 5)); // Node.js tells of a rejection after the turn it came in.
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

describe("onAttempt", () => {
  test("is told of a success", async () => {
    const { events } = await call([new Response(MINTED, { headers: { "x-request-id": "req_1" } })]);

    expect(events).toEqual([
      {
        attempt: 1,
        waitedMs: 0,
        durationMs: expect.any(Number),
        status: 200,
        requestId: "req_1",
        errorCode: undefined,
        retryInMs: undefined,
      },
    ]);
    expect(events[0]?.durationMs).toBeGreaterThanOrEqual(0);
  });

  test("is told of every attempt, in order, before the next one", async () => {
    const { events } = await call([
      new Error("socket hang up"),
      new Response("{}", { status: 503, headers: { "x-request-id": "req_2" } }),
      new Response(MINTED, { status: 201 }),
    ]);

    expect(events.map(({ durationMs: _, waitedMs: __, ...event }) => event)).toEqual([
      { attempt: 1, status: undefined, requestId: undefined, errorCode: "connection", retryInMs: 0.5 },
      { attempt: 2, status: 503, requestId: "req_2", errorCode: "api", retryInMs: 1 },
      { attempt: 3, status: 201, requestId: undefined, errorCode: undefined, retryInMs: undefined },
    ]);
  });

  test("is told how long the attempt waited for its place in the rate limit", async () => {
    vi.useFakeTimers();
    await vi.advanceTimersByTimeAsync(60_000);
    const answers = [new Response(MINTED), new Response(MINTED)];
    const events: AttemptEvent[] = [];
    const startedAt = performance.now();
    const client = new ComplyCube({
      apiKey: KEY,
      rateLimit: 1,
      fetch: async () => answers.shift() as Response,
      onAttempt: (event) => events.push(event),
    });

    const calls = [1, 2].map(() => client.token.generate(CLIENT_ID, { appId: "com.myapp.demo.app" }));
    await vi.advanceTimersByTimeAsync(5_000);
    await Promise.all(calls);

    expect(events[0]?.waitedMs).toBe(0);
    expect(events[1]?.waitedMs).toBeGreaterThanOrEqual(1_000);
    expect(events[1]?.waitedMs).toBeLessThan(performance.now() - startedAt);
    expect(events[1]?.durationMs).toBeLessThan(500);
  });

  test("is told that no other attempt follows the last", async () => {
    const { events, error } = await call([new Response(null, { status: 500 })], { maxRetries: 1 });

    expect(error).toMatchObject({ status: 500, attempts: 2 });
    expect(events.map(({ retryInMs }) => retryInMs)).toEqual([0.5, undefined]);
  });

  test.each<[string, Response | Error, Partial<AttemptEvent>]>([
    ["a refusal", new Response("{}", { status: 400 }), { errorCode: "api", status: 400 }],
    ["a 200 without a token", new Response("{}"), { errorCode: "invalid_response", status: 200 }],
    ["a redirect", new Response(null, { status: 302 }), { errorCode: "connection", status: undefined }],
  ])("is told of %s", async (_, answer, event) => {
    const { events } = await call([answer], { maxRetries: 0 });

    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject(event);
  });

  test("is told nothing when the apiKey function fails, because nothing was sent", async () => {
    const { events, error, sent } = await call([], { apiKey: () => Promise.reject(new Error("sealed")) });

    expect(error).toMatchObject({ name: "TypeError" });
    expect(events).toEqual([]);
    expect(sent).toBe(0);
  });

  test("is told of what the call rejects with, whenever around the answer the caller aborts", async () => {
    const codes = new Set();
    for (let turns = 0; turns < 60; turns++) {
      const caller = new AbortController();
      const answer = async () => {
        queueMicrotask(async () => {
          for (let turn = 0; turn < turns; turn++) await undefined;
          caller.abort("the user left");
        });
        return new Response("{}", { status: 400 });
      };

      const { events, error } = await call([], { fetch: answer }, { signal: caller.signal });

      const code = error === "the user left" ? "aborted" : (error as ComplyCubeApiError).code;
      expect(events.map(({ errorCode }) => errorCode)).toEqual([code]);
      codes.add(code);
    }
    expect([...codes].sort()).toEqual(["aborted", "api"]); // Before and after: every turn in between was met.
  });

  test("is told of a timeout, and how long it took", async () => {
    const { events } = await call([], { maxRetries: 0, timeoutMs: 30, fetch: () => new Promise(() => {}) });

    expect(events[0]).toMatchObject({ errorCode: "timeout", status: undefined });
    expect(events[0]?.durationMs).toBeGreaterThanOrEqual(29);
  });

  test("is never told the key, the token or the client ID", async () => {
    const { events } = await call([
      new Error(`${KEY} ${TOKEN} ${CLIENT_ID}`),
      new Response(JSON.stringify({ type: KEY, message: TOKEN }), {
        status: 503,
        headers: { "x-request-id": `${KEY} ${TOKEN}` },
      }),
      new Response(MINTED),
    ]);

    expect(events).toHaveLength(3);
    expect(leaks(events, [KEY, TOKEN, CLIENT_ID])).toEqual([]);
    for (const event of events) {
      expect(Object.keys(event).sort()).toEqual([
        "attempt",
        "durationMs",
        "errorCode",
        "requestId",
        "retryInMs",
        "status",
        "waitedMs",
      ]);
    }
  });

  const hooks: [string, (event: AttemptEvent) => unknown][] = [
    [
      "throws",
      () => {
        throw new Error("from the hook");
      },
    ],
    [
      "throws nothing",
      () => {
        throw undefined;
      },
    ],
    ["rejects", () => Promise.reject(new Error("from the hook"))],
    [
      "rejects later",
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        throw new Error("from the hook");
      },
    ],
    ["never settles", () => new Promise(() => {})],
    [
      "returns what cannot be awaited",
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: what a hook returns may be anything.
        get then() {
          throw new Error("from the hook");
        },
      }),
    ],
    [
      "returns a promise-like that throws",
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: what a hook returns may be anything.
        then() {
          throw new Error("from the hook");
        },
      }),
    ],
    [
      "changes the event",
      (event) =>
        Object.assign(event, { attempt: 99, status: 200, retryInMs: undefined, errorCode: undefined }),
    ],
  ];

  test.each(hooks)("that %s changes nothing about a success", async (_, hook) => {
    const { token, sent } = await call(
      [new Error("a"), new Response(null, { status: 500 }), new Response(MINTED)],
      { onAttempt: hook as never },
    );

    expect(token).toBe(TOKEN);
    expect(sent).toBe(3);
  });

  test.each(hooks)("that %s changes nothing about a failure", async (_, hook) => {
    const { error, sent } = await call(
      [new Response(null, { status: 500 }), new Response("{}", { status: 401 })],
      { onAttempt: hook as never },
    );

    expect(error).toMatchObject({ name: "AuthenticationError", code: "api", status: 401, attempts: 2 });
    expect(sent).toBe(2);
  });
});

/** One call that gets these answers one after the other, the last again and again. */
async function call(
  answers: (Response | Error)[],
  options: ComplyCubeOptions = {},
  callOptions: RequestOptions = {},
) {
  const events: AttemptEvent[] = [];
  let sent = 0;
  const complycube = new ComplyCube({
    apiKey: KEY,
    rateLimit: false,
    fetch: async () => {
      const answer = answers[Math.min(sent++, answers.length - 1)] as Response | Error;
      if (answer instanceof Error) throw answer;
      return answer.clone();
    },
    onAttempt: (event) => events.push(event),
    ...options,
  });
  const settled: { token?: string; error?: unknown } = await complycube.token
    .generate(CLIENT_ID, { appId: "com.myapp.demo.app" }, callOptions)
    .then((token) => ({ token }))
    .catch((error) => ({ error }));
  expect(leaks([complycube, settled.error, events], [KEY, TOKEN])).toEqual([]);
  return { ...settled, events, sent };
}
