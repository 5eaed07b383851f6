import { getEventListeners } from "node:events";
import { afterEach, describe, expect, test, vi } from "vitest";
import { generateMany } from "../../src/core/client/generate-many.ts";
import type { Settings } from "../../src/core/client/options.ts";
import {
  type BatchOptions,
  type BatchRequest,
  type BatchResult,
  ComplyCube,
  type ComplyCubeOptions,
} from "../../src/index.ts";

const appId = "com.myapp.demo.app";
const stub = { status: 200, headers: new Headers(), text: async () => '{"token":"TOKEN"}' } as Response;

/** A batch that mints out of nothing, so that a million rows are about the batch alone. */
const stubbed: ComplyCube["token"]["generateMany"] = (requests, options = {}) =>
  generateMany(async () => "TOKEN", requests, options, {} as Settings);

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("generateMany", () => {
  test.each([
    ["an array", () => [row(1), row(2), row(3)]],
    ["a set", () => new Set([row(1), row(2), row(3)])],
    ["a generator", () => rows(3)],
    ["an async generator", () => asyncRows(3)],
  ])("yields the token of every row of %s", async (_, source) => {
    const results = await collect(client().token.generateMany(source()));

    expect(results.map(({ request, token }) => [request.clientId, token]).toSorted()).toEqual([
      ["CLIENT_1", "TOKEN"],
      ["CLIENT_2", "TOKEN"],
      ["CLIENT_3", "TOKEN"],
    ]);
  });

  test("hands back the very object that it read, with the fields that it did not send", async () => {
    const bodies: unknown[] = [];
    const request = { clientId: "CLIENT_1", appId, line: 7, token: "OLD" };
    const complycube = client(async (_, { body }) => {
      bodies.push(JSON.parse(String(body)));
      return minted();
    });

    const [result] = await collect(complycube.token.generateMany([request]));

    expect(result?.request).toBe(request);
    expect(bodies).toEqual([{ clientId: "CLIENT_1", appId }]);
  });

  test("yields as each settles, not in the order of the rows", async () => {
    const complycube = client(async (_, { body }) => {
      await delay(String(body).includes("CLIENT_1") ? 40 : 1);
      return minted();
    });

    const results = await collect(complycube.token.generateMany([row(1), row(2)]));

    expect(results.map(({ request }) => request.clientId)).toEqual(["CLIENT_2", "CLIENT_1"]);
  });

  test("one failure never stops the rest, whatever its kind", async () => {
    const complycube = client(
      async (_, { body }) => {
        if (String(body).includes("CLIENT_2")) return new Response("{}", { status: 400 });
        if (String(body).includes("CLIENT_3")) throw new Error("reset");
        return minted();
      },
      { maxRetries: 0 },
    );
    const bad = [
      null,
      4,
      {},
      { clientId: "CLIENT_9" },
      { clientId: "C", appId, referrer: "https://a.example/*" },
      { clientId: "C", referrer: "https://a.example/verify/*" },
    ];

    const results = await collect(
      complycube.token.generateMany([...bad, row(1), row(2), row(3), row(4)] as BatchRequest[]),
    );

    const outcomes = results.map(({ request, token, error }) => [
      request?.clientId,
      token ?? (error as Error).name,
    ]);
    expect(outcomes).toHaveLength(10);
    expect(outcomes.filter(([, outcome]) => outcome === "TypeError")).toHaveLength(bad.length - 1);
    expect(outcomes).toContainEqual(["C", "ReferrerPatternError"]);
    expect(outcomes).toEqual(
      expect.arrayContaining([
        ["CLIENT_1", "TOKEN"],
        ["CLIENT_2", "InvalidRequestError"],
        ["CLIENT_3", "ConnectionError"],
        ["CLIENT_4", "TOKEN"],
      ]),
    );
  });

  test("reads nothing before the loop starts, and then no more than concurrency ahead of it", async () => {
    let read = 0;
    function* source() {
      for (;;) {
        read++;
        yield row(read);
      }
    }
    const batch = client().token.generateMany(source(), { concurrency: 4 });
    const before = read;

    await batch.next();
    await delay(20); // All four have settled; the loop has taken one.
    const afterOne = read;
    await batch.next();
    await delay(20);
    const afterTwo = read;
    await batch.return();

    expect([before, afterOne, afterTwo]).toEqual([0, 4, 5]);
  });

  test("keeps as many in flight as concurrency says", async () => {
    let inFlight = 0;
    let most = 0;
    const complycube = client(async () => {
      most = Math.max(most, ++inFlight);
      await delay(2);
      inFlight--;
      return minted();
    });

    await collect(complycube.token.generateMany(rows(50), { concurrency: 7 }));

    expect(most).toBe(7);
  });

  test("yields what has settled while an async source keeps it waiting", async () => {
    async function* source() {
      yield row(1);
      await new Promise(() => {});
    }

    const batch = client().token.generateMany(source());
    const { value } = await batch.next();

    expect(value).toMatchObject({ token: "TOKEN" });
  });

  test.each([
    ["a million rows", 1_000_000, stubbed],
    ["100,000 rows through a whole client", 100_000, client(async () => stub).token.generateMany],
  ])("takes %s in constant memory", async (_, total, generateMany) => {
    const complycube = client(async () => stub);
    let count = 0;
    const heap: number[] = [];

    const batch = generateMany.call(complycube.token, rows(total), { concurrency: 32 });
    for await (const { token } of batch) {
      if (token === "TOKEN") count++;
      if (count % (total / 4) === 0) heap.push(heapAfterCollection());
    }

    const [first = 0, ...later] = heap;
    expect(count).toBe(total);
    expect(later).toHaveLength(3);
    for (const bytes of later) expect(bytes - first).toBeLessThan(2 * 2 ** 20);
  });

  test("leaving the loop ends what is in flight, sends nothing more, and closes the source", async () => {
    const signals: AbortSignal[] = [];
    const closed = vi.fn();
    function* source() {
      try {
        yield* rows(1_000);
      } finally {
        closed();
      }
    }
    const complycube = client((_, { signal }) => {
      signals.push(signal as AbortSignal);
      return signals.length === 1 ? Promise.resolve(minted()) : new Promise(() => {});
    });

    for await (const _ of complycube.token.generateMany(source(), { concurrency: 5 })) break;
    await delay(20);

    expect(signals).toHaveLength(5);
    expect(signals.slice(1).map(({ aborted }) => aborted)).toEqual([true, true, true, true]);
    expect(closed).toHaveBeenCalledOnce();
  });

  test("leaving the loop waits until the source has closed its file", async () => {
    let isClosed = false;
    async function* source() {
      try {
        yield* rows(100);
      } finally {
        await delay(20);
        isClosed = true;
      }
    }

    for await (const _ of client().token.generateMany(source(), { concurrency: 1 })) break;

    expect(isClosed).toBe(true);
  });

  test("leaving the loop does not wait for a source that is being read and never answers", async () => {
    async function* source() {
      yield row(1);
      await new Promise(() => {});
    }

    for await (const _ of client().token.generateMany(source())) break;

    expect.assertions(0); // That it comes here at all is the point.
  });

  test("an abort rejects at once with the caller's reason, after what is minted already", async () => {
    const caller = new AbortController();
    let sent = 0;
    const complycube = client(() => (++sent <= 2 ? Promise.resolve(minted()) : new Promise(() => {})));
    const results: BatchResult[] = [];
    const run = async () => {
      const batch = complycube.token.generateMany(rows(100), { concurrency: 4, signal: caller.signal });
      for await (const result of batch) {
        results.push(result);
        if (results.length === 1) caller.abort("the operator left");
        await delay(5); // So that what was in flight has settled too.
      }
    };

    await expect(run()).rejects.toBe("the operator left");
    expect(results.map(({ token }) => token)).toEqual(["TOKEN", "TOKEN"]);
    expect(sent).toBe(4);
    expect(getEventListeners(caller.signal, "abort")).toEqual([]);
  });

  test("an abort rejects at once while the source alone is waited for, and never answers", async () => {
    const caller = new AbortController();
    const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
    const next = client().token.generateMany(silent, { signal: caller.signal }).next();
    await delay(5);

    caller.abort("the operator left");

    await expect(next).rejects.toBe("the operator left");
  });

  test.each<[string, () => Iterable<BatchRequest> | AsyncIterable<BatchRequest>]>([
    [
      "throws",
      function* () {
        try {
          yield* rows(100);
        } finally {
          closeBadly();
        }
      },
    ],
    [
      "rejects",
      async function* () {
        try {
          yield* rows(100);
        } finally {
          closeBadly();
        }
      },
    ],
  ])("a source whose end %s takes nothing away from the abort's own reason", async (_, source) => {
    const caller = new AbortController();
    const batch = client().token.generateMany(source(), { concurrency: 1, signal: caller.signal });
    await batch.next();

    caller.abort("the operator left");

    await expect(collect(batch)).rejects.toBe("the operator left");
  });

  test.each([1, 3, 5])(
    "an abort from onAttempt loses no token that was minted, with %d in flight",
    async (concurrency) => {
      const caller = new AbortController();
      let minted = 0;
      const onAttempt = () => {
        if (++minted === 3) caller.abort("the operator left");
      };
      const results: BatchResult[] = [];
      const run = async () => {
        const batch = client(undefined, { onAttempt }).token.generateMany(rows(100), {
          concurrency,
          signal: caller.signal,
        });
        for await (const result of batch) results.push(result);
      };

      await expect(run()).rejects.toBe("the operator left");

      expect(minted).toBeGreaterThanOrEqual(3);
      expect(results.filter(({ token }) => token === "TOKEN").length).toBeGreaterThanOrEqual(3);
    },
  );

  test("an abort in any microtask of an answer loses no token that was minted", async () => {
    for (let ticks = 0; ticks < 40; ticks++) {
      const caller = new AbortController();
      const outcomes: unknown[] = [];
      const complycube = client(
        async () => {
          let later = Promise.resolve();
          for (let i = 0; i < ticks; i++) later = later.then(() => {});
          void later.then(() => caller.abort("the operator left"));
          return minted();
        },
        { onAttempt: ({ errorCode }) => outcomes.push(errorCode ?? "minted") },
      );
      const tokens: unknown[] = [];
      const run = async () => {
        const batch = complycube.token.generateMany(rows(1), { signal: caller.signal });
        for await (const { token } of batch) tokens.push(token);
      };

      await run().catch(() => {});

      expect(tokens, `aborted after ${ticks} microtasks`).toHaveLength(
        outcomes.filter((outcome) => outcome === "minted").length,
      );
    }
  });

  test("an abort from onAttempt takes no answer of the API from its row", async () => {
    const caller = new AbortController();
    const complycube = client(async () => new Response("{}", { status: 400 }), {
      onAttempt: () => caller.abort("the operator left"),
    });
    const batch = complycube.token.generateMany([row(1)], { signal: caller.signal });

    const { value } = await batch.next();

    expect(value).toMatchObject({ error: { name: "InvalidRequestError" } });
    await expect(batch.next()).rejects.toBe("the operator left");
  });

  test("reads the accessors of a class, and not what is on Object.prototype", async () => {
    class Row {
      #id: string;
      constructor(id: string) {
        this.#id = id;
      }
      get clientId() {
        return this.#id;
      }
      get appId() {
        return appId;
      }
      get referrer(): never {
        return undefined as never;
      }
    }
    const bodies: unknown[] = [];
    const complycube = client(async (_, { body }) => {
      bodies.push(JSON.parse(String(body)));
      return minted();
    });
    const polluted = Object.prototype as { appId?: string };
    const onlyClient = { clientId: "CLIENT_2" } as BatchRequest;

    polluted.appId = "com.attacker.app";
    const [refused] = await collect(complycube.token.generateMany([onlyClient])).finally(() => {
      delete polluted.appId;
    });
    const [result] = await collect(complycube.token.generateMany([new Row("CLIENT_1")]));

    expect(refused?.error).toMatchObject({ name: "TypeError" });
    expect(result?.token).toBe("TOKEN");
    expect(bodies).toEqual([{ clientId: "CLIENT_1", appId }]);
  });

  test("a getter that throws fails its row alone", async () => {
    const bad = {
      appId,
      get clientId(): string {
        throw new Error("the cursor is closed");
      },
    };

    const results = await collect(client().token.generateMany([bad, row(2)]));

    expect(results.map(({ token, error }) => token ?? (error as Error).message).toSorted()).toEqual([
      "TOKEN",
      "the cursor is closed",
    ]);
  });

  test("waits for rows that are promised", async () => {
    const promised = [1, 2, 3].map(async (number) => {
      await delay(number);
      return row(number);
    });

    const results = await collect(client().token.generateMany(promised));

    expect(results.map(({ request }) => request.clientId)).toEqual(["CLIENT_1", "CLIENT_2", "CLIENT_3"]);
    expect(results.map(({ token }) => token)).toEqual(Array(3).fill("TOKEN"));
  });

  test("a promised row that fails ends the batch after what was read before it, and closes the source", async () => {
    const closed = vi.fn();
    function* source() {
      try {
        yield row(1);
        yield Promise.reject<BatchRequest>(new Error("the cursor broke"));
      } finally {
        closed();
      }
    }
    const results: BatchResult[] = [];
    const run = async () => {
      for await (const result of client().token.generateMany(source())) results.push(result);
    };

    await expect(run()).rejects.toThrow("the cursor broke");
    expect(results).toHaveLength(1);
    expect(closed).toHaveBeenCalledOnce();
  });

  test("a source that answers with no object rejects, as a loop over it would", async () => {
    const broken = { [Symbol.asyncIterator]: () => ({ next: async () => undefined as never }) };

    await expect(collect(client().token.generateMany(broken))).rejects.toThrow(TypeError);
  });

  test("an abort does not wait for a source whose end never answers", async () => {
    const caller = new AbortController();
    const endless = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false as const, value: row(1) }),
        return: () => new Promise<never>(() => {}),
      }),
    };
    const batch = client().token.generateMany(endless, { concurrency: 1, signal: caller.signal });
    await batch.next();

    caller.abort("the operator left");

    await expect(collect(batch)).rejects.toBe("the operator left");
  });

  test("a signal that is aborted before sends nothing and reads nothing", async () => {
    const send = vi.fn(async () => minted());
    const next = vi.fn(() => ({ done: false, value: row(1) }));
    const signal = AbortSignal.abort("too late");

    const batch = client(send).token.generateMany({ [Symbol.iterator]: () => ({ next }) }, { signal });

    await expect(collect(batch)).rejects.toBe("too late");
    expect(next).not.toHaveBeenCalled();
    expect(send).not.toHaveBeenCalled();
  });

  const failure = new Error("the cursor broke");
  test.each<[string, () => Iterable<BatchRequest> | AsyncIterable<BatchRequest>]>([
    [
      "a source",
      function* () {
        yield* rows(2);
        throw failure;
      },
    ],
    [
      "an async source",
      async function* () {
        yield* rows(2);
        throw failure;
      },
    ],
  ])("what %s throws comes out after what was read before it", async (_, source) => {
    const results: BatchResult[] = [];
    const run = async () => {
      for await (const result of client().token.generateMany(source())) results.push(result);
    };

    await expect(run()).rejects.toBe(failure);
    expect(results.map(({ token }) => token)).toEqual(["TOKEN", "TOKEN"]);
  });

  test("leaves no listener behind", async () => {
    const { signal } = new AbortController();

    await collect(client().token.generateMany(rows(50), { signal }));

    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test.each([
    [0, [30, 60, 120, 240, 240]],
    [0.5, [33.75, 67.5, 135, 270, 270]],
  ])(
    "tries a 429 that names no time again after 30 seconds, doubling to 4 minutes, and up to a quarter more at random: %f",
    async (random, seconds) => {
      vi.useFakeTimers();
      vi.spyOn(Math, "random").mockReturnValue(random);
      const sentAt: number[] = [];
      const complycube = client(async () => {
        sentAt.push(performance.now());
        return sentAt.length <= seconds.length ? new Response("{}", { status: 429 }) : minted();
      });

      const results = collect(complycube.token.generateMany([row(1)], { maxRetries: seconds.length }));
      await vi.advanceTimersByTimeAsync(1_000_000);

      expect(await results).toMatchObject([{ token: "TOKEN" }]);
      expect(sentAt.slice(1).map((at, i) => at - (sentAt[i] ?? 0))).toEqual(seconds.map((s) => s * 1_000));
    },
  );

  test("waits as long as a 429 asks for", async () => {
    vi.useFakeTimers();
    const sentAt: number[] = [];
    const complycube = client(async () => {
      sentAt.push(performance.now());
      return sentAt.length < 2
        ? new Response("{}", { status: 429, headers: { "retry-after": "2" } })
        : minted();
    });

    const results = collect(complycube.token.generateMany([row(1)]));
    await vi.advanceTimersByTimeAsync(3_000);

    expect(await results).toMatchObject([{ token: "TOKEN" }]);
    expect((sentAt[1] ?? 0) - (sentAt[0] ?? 0)).toBeGreaterThanOrEqual(2_000);
  });

  test("a queue that other calls have filled fails no row", async () => {
    vi.useFakeTimers();
    const complycube = client(undefined, { rateLimit: { perSecond: 10, maxQueue: 1 } });

    const results = collect(complycube.token.generateMany(rows(30), { concurrency: 16 }));
    await vi.advanceTimersByTimeAsync(60_000);

    expect((await results).map(({ token }) => token)).toEqual(Array(30).fill("TOKEN"));
  });

  test("an abort ends the wait for a queue that is full, and leaves no timer", async () => {
    vi.useFakeTimers();
    const caller = new AbortController();
    const complycube = client(undefined, { rateLimit: { perSecond: 1, maxQueue: 0 } });
    const batch = complycube.token.generateMany(rows(2), { signal: caller.signal });
    await batch.next();
    const next = batch.next();
    const waiting = vi.getTimerCount();

    caller.abort("the operator left");

    await expect(next).rejects.toBe("the operator left");
    expect(waiting).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("yields what a row rejects with, even undefined", async () => {
    const mint = () => Promise.reject(undefined);

    const results = await collect(generateMany(mint, [row(1)], {}, {} as Settings));

    expect(results).toEqual([{ request: row(1), error: undefined }]);
  });

  test.each([
    [null, "null"],
    [4, "a number"],
  ])("says what a row has to be, where it is %o", async (row, kind) => {
    const [result] = await collect(client().token.generateMany([row] as unknown as BatchRequest[]));

    expect(result?.error).toMatchObject({
      name: "TypeError",
      message: `A row must be { clientId, referrer } or { clientId, appId }, not ${kind}.`,
    });
  });

  test.each([
    [undefined, {}, TypeError, "requests must be an iterable or async iterable, not undefined."],
    ["CLIENT_ID", {}, TypeError, "requests must be an iterable or async iterable, not a string."],
    [{}, {}, TypeError, "requests must be an iterable"],
    [[], { concurrency: 0 }, RangeError, "concurrency must be a whole number from 1"],
    [[], { concurency: 4 }, TypeError, 'unknown field "concurency". Known: signal, timeoutMs, maxRetries'],
    [[], { concurency: 4 }, TypeError, "allowReferrerPath, concurrency."],
    [[], { maxRetries: -1 }, RangeError, "maxRetries"],
    [[], { signal: {} }, TypeError, "signal must be an AbortSignal"],
    [[], null, TypeError, "options must be an object, not null."],
  ])("refuses %o with %o at once", (requests, options, type, message) => {
    const send = vi.fn(async () => minted());
    const start = () =>
      client(send).token.generateMany(requests as unknown as BatchRequest[], options as BatchOptions);

    expect(start).toThrow(type);
    expect(start).toThrow(message);
    expect(send).not.toHaveBeenCalled();
  });
});

function client(
  fetch: ComplyCubeOptions["fetch"] = async () => minted(),
  options: ComplyCubeOptions = {},
): ComplyCube {
  return new ComplyCube({ apiKey: "test_BATCH_KEY", rateLimit: false, fetch, ...options });
}

function row(number: number): BatchRequest {
  return { clientId: `CLIENT_${number}`, appId };
}

function* rows(count: number): Generator<BatchRequest> {
  for (let number = 1; number <= count; number++) yield row(number);
}

async function* asyncRows(count: number): AsyncGenerator<BatchRequest> {
  for (const request of rows(count)) {
    await delay(1);
    yield request;
  }
}

async function collect<R extends BatchRequest>(
  batch: AsyncIterable<BatchResult<R>>,
): Promise<BatchResult<R>[]> {
  const results: BatchResult<R>[] = [];
  for await (const result of batch) results.push(result);
  return results;
}

function closeBadly(): void {
  throw new Error("the file is gone");
}

function minted(): Response {
  return Response.json({ token: "TOKEN" });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function heapAfterCollection(): number {
  if (globalThis.gc === undefined) throw new Error("Run with --expose-gc, as vitest.config.ts does.");
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
