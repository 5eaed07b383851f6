import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type AttemptEvent, ComplyCube, type ComplyCubeApiError } from "../../src/index.ts";
import { KEY } from "../support/leak-scan.ts";
import { settle } from "../support/settle.ts";

const NOON = Date.UTC(2026, 0, 1, 12);
const httpDate = (ms: number) => new Date(ms).toUTCString();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: NOON });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("backoff", () => {
  test("doubles from 500 ms to 8 s", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1 - Number.EPSILON);

    const { waits } = await callAnswering(async () => new Response(null, { status: 503 }), 8);

    expect(waits.map(Math.round)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000]);
  });

  test.each([0, 0.25, 0.5])("has full jitter: a random %f makes that part of the whole", async (random) => {
    vi.spyOn(Math, "random").mockReturnValue(random);

    const { waits } = await callAnswering(async () => new Response(null, { status: 503 }), 7);

    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000].map((ms) => ms * random));
  });

  test("spreads over all of it", async () => {
    const firsts = await Promise.all(
      Array.from({ length: 300 }, () => callAnswering(async () => new Response(null, { status: 503 }), 1)),
    );

    const waits = firsts.flatMap((call) => call.waits);
    expect(waits).toHaveLength(300);
    expect(Math.min(...waits)).toBeLessThan(50);
    expect(Math.max(...waits)).toBeGreaterThan(450);
    expect(Math.max(...waits)).toBeLessThanOrEqual(500);
  });

  test("is none the first time that a connection breaks, which is nearly always an old one", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const reset = Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });

    const { waits, sent } = await callAnswering(() => Promise.reject(reset), 2);

    expect(waits).toEqual([0, 500]);
    expect(sent).toHaveLength(3);
  });

  test("is the same after no connection and after a timeout", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);

    const broken = await callAnswering(() => Promise.reject(new Error("broken")), 2);
    const late = await callAnswering(() => new Promise(() => {}), 2);

    expect(broken.waits).toEqual([250, 500]);
    expect(late.waits).toEqual([250, 500]);
  });
});

describe("which failures are tried again", () => {
  test.each([408, 429, 500, 502, 503, 504])("%i is", async (status) => {
    const { sent } = await callAnswering(async () => new Response(null, { status }), 2);

    expect(sent).toHaveLength(3);
  });

  test.each([400, 401, 402, 403, 404, 405, 409, 413, 418, 422, 425, 451, 499, 501, 505, 507, 529, 599])(
    "%i is not",
    async (status) => {
      const { sent } = await callAnswering(async () => new Response(null, { status }), 2);

      expect(sent).toHaveLength(1);
    },
  );

  test("a 200 without a token is not", async () => {
    const { sent, error } = await callAnswering(async () => new Response("{}"), 2);

    expect(sent).toHaveLength(1);
    expect(error).toMatchObject({ name: "InvalidResponseError", attempts: 1 });
  });
});

describe("Retry-After", () => {
  const read: [string, Record<string, string>, number][] = [
    ["no time", { "retry-after": "0" }, 0],
    ["seconds", { "retry-after": "5" }, 5_000],
    ["a fraction of a second", { "retry-after": "1.5" }, 1_500],
    ["exactly 60 s", { "retry-after": "60" }, 60_000],
    ["a date, by the clock on this side", { "retry-after": httpDate(NOON + 20_000) }, 20_000],
    [
      "a date, by the server's clock",
      { "retry-after": httpDate(NOON - 80_000), date: httpDate(NOON - 90_000) },
      10_000,
    ],
    [
      "a date, where the server's clock cannot be read",
      { "retry-after": httpDate(NOON + 20_000), date: "now" },
      20_000,
    ],
    ["a date that has passed", { "retry-after": httpDate(NOON - 1_000) }, 0],
    ["a date in the older form", { "retry-after": "Thursday, 01-Jan-26 12:00:30 GMT" }, 30_000],
  ];

  test.each(read)("is waited for in full plus a little jitter: %s", async (_, headers, asked) => {
    for (const [random, jitter] of [
      [0, 100],
      [0.999_999, 500],
    ] as const) {
      vi.spyOn(Math, "random").mockReturnValue(random);

      const { sent, waits } = await callAnswering(
        async () => new Response(null, { status: 429, headers }),
        1,
      );

      expect(waits[0]).toBeCloseTo(asked + jitter, 0);
      expect((sent[1] ?? 0) - (sent[0] ?? 0)).toBeGreaterThanOrEqual(asked);
    }
  });

  test.each<[string, Record<string, string>, number]>([
    ["61 s", { "retry-after": "61" }, 61_000],
    ["60.001 s", { "retry-after": "60.001" }, 60_001],
    ["a day", { "retry-after": httpDate(NOON + 86_400_000) }, 86_400_000],
    ["longer than a number can say", { "retry-after": "9".repeat(400) }, Number.MAX_SAFE_INTEGER],
  ])("over 60 s fails the call at once, and the error tells it: %s", async (_, headers, retryAfterMs) => {
    for (const status of [429, 503]) {
      const { sent, error } = await callAnswering(async () => new Response(null, { status, headers }), 2);

      expect(sent).toHaveLength(1);
      expect(error).toMatchObject({ code: "api", status, retryAfterMs, attempts: 1 });
    }
  });

  test.each([
    "",
    "soon",
    "-5",
    "1e3",
    "0x10",
    "5 s",
    "5, 6",
    "Infinity",
    "NaN",
    "2026-01-01T12:00:05Z",
    "Foo, 99 Bar",
    "on Thu, 01 Jan 2026 12:00:05 GMT",
  ])("that cannot be read leaves the usual backoff: %o", async (value) => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const headers = { "retry-after": value };

    const { waits, error } = await callAnswering(async () => new Response(null, { status: 429, headers }), 1);

    expect(waits).toEqual([250]);
    expect((error as ComplyCubeApiError).retryAfterMs).toBeUndefined();
  });

  test("is never answered sooner than asked, whatever it says", async () => {
    const seconds = fc.oneof(
      fc.nat(60),
      fc.double({ min: 0, max: 60, noNaN: true }).map((n) => Number(n.toFixed(3))),
    );
    const header = fc.oneof(
      seconds.map((s) => [{ "retry-after": String(s) }, s * 1_000] as const),
      fc
        .nat(60)
        .map(
          (s) =>
            [
              { "retry-after": httpDate(Date.now() + s * 1_000), date: httpDate(Date.now()) },
              s * 1_000,
            ] as const,
        ),
    );
    await fc.assert(
      fc.asyncProperty(
        header,
        fc.constantFrom(408, 429, 500, 502, 503, 504),
        async ([headers, asked], status) => {
          const { sent } = await callAnswering(
            async () => new Response(null, { status, headers: headers as never }),
            1,
          );

          expect(sent).toHaveLength(2);
          expect((sent[1] ?? 0) - (sent[0] ?? 0)).toBeGreaterThanOrEqual(Math.floor(asked));
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** Makes one call and lets all the time pass that it waits for. */
async function callAnswering(answer: () => Promise<Response>, maxRetries: number) {
  vi.setSystemTime(NOON);
  const sent: number[] = [];
  const events: AttemptEvent[] = [];
  const complycube = new ComplyCube({
    apiKey: KEY,
    rateLimit: false,
    maxRetries,
    fetch: () => {
      sent.push(Date.now());
      return answer();
    },
    onAttempt: (event) => events.push(event),
  });
  let settled = false;
  const call = settle(complycube).finally(() => {
    settled = true;
  });
  for (let turn = 0; turn < 100 && !settled; turn++) await vi.advanceTimersByTimeAsync(10_000);
  const { error } = await call;
  return { sent, error, waits: events.map(({ retryInMs }) => retryInMs).filter((ms) => ms !== undefined) };
}
