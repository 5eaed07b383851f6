import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { newLateness } from "../../src/core/http/lateness.ts";
import { GUARD_MS, LOOK_EVERY_MS, SlidingWindow } from "../../src/core/limit/sliding-window.ts";

const HELD_MS = 1_000 + GUARD_MS;

interface Arrival {
  afterMs: number;
  calls: number;
  abortAfterMs: number | undefined;
  penaltyMs: number | undefined;
  perSecond: number | undefined;
  /** Whether its timers never fire, as when a runtime cancels the request that it belongs to. */
  vanishes: boolean;
}

const perSeconds = fc.integer({ min: 1, max: 12 });
const never = fc.constant(undefined);
const arrivalOf = (
  parts: Partial<{
    abortAfterMs: fc.Arbitrary<number | undefined>;
    penaltyMs: fc.Arbitrary<number | undefined>;
    perSecond: fc.Arbitrary<number | undefined>;
    vanishes: fc.Arbitrary<boolean>;
  }>,
): fc.Arbitrary<Arrival> =>
  fc.record({
    // Around the edges of a second too, where a fixed window lets through twice its limit.
    afterMs: fc.oneof(
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 950, max: 1_250 }),
      fc.double({ min: 0, max: 5_000, noNaN: true }),
    ),
    calls: fc.integer({ min: 1, max: 12 }),
    abortAfterMs: never,
    penaltyMs: never,
    perSecond: never,
    vanishes: fc.constant(false),
    ...parts,
  });
const aborts = fc.option(fc.integer({ min: 0, max: 3_000 }), { nil: undefined, freq: 3 });
const penalties = fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined, freq: 8 });
const changes = fc.option(perSeconds, { nil: undefined, freq: 4 });
const arrivals = (arrival: fc.Arbitrary<Arrival>) => fc.array(arrival, { minLength: 1, maxLength: 8 });

beforeEach(() => {
  vi.useFakeTimers({ loopLimit: 200_000 }); // Calls behind one that sleeps look every millisecond.
});

afterEach(() => {
  vi.useRealTimers();
});

describe("SlidingWindow", () => {
  test("whatever comes, no second has more than the limit, and everyone who stays is served in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        perSeconds,
        arrivals(arrivalOf({ abortAfterMs: aborts, penaltyMs: penalties, perSecond: changes })),
        async (perSecond, arriving) => {
          const { sent, aborted, calls } = await play(perSecond, arriving);

          // The limit of the moment in which the last of a second leaves.
          for (const [i, last] of sent.entries()) {
            const before = sent.slice(0, i + 1).filter(({ at }) => last.at - at < 1_000);
            expect(before.length).toBeLessThanOrEqual(last.perSecond);
          }
          expect(sent.map(({ call }) => call)).toEqual(
            sent.map(({ call }) => call).toSorted((a, b) => a - b),
          );
          expect(sent.length + aborted).toBe(calls);
          expect(vi.getTimerCount()).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("an abort makes nobody later", async () => {
    await fc.assert(
      fc.asyncProperty(
        perSeconds,
        arrivals(arrivalOf({ abortAfterMs: aborts })),
        async (perSecond, arriving) => {
          const leaving = await play(perSecond, arriving);
          const staying = await play(
            perSecond,
            arriving.map((arrival) => ({ ...arrival, abortAfterMs: undefined })),
          );

          const atWithoutAborts = new Map(staying.sent.map(({ call, at }) => [call, at]));
          for (const { call, at } of leaving.sent) {
            expect(at).toBeLessThanOrEqual((atWithoutAborts.get(call) as number) + 1);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test("whoever leaves, those behind take over the places once they have looked", async () => {
    await fc.assert(
      fc.asyncProperty(
        perSeconds,
        fc.array(fc.boolean(), { minLength: 1, maxLength: 100 }),
        fc.integer({ min: 0, max: 3_000 }),
        async (perSecond, leaves, leaveAtMs) => {
          const window = new SlidingWindow(perSecond);
          const caller = new AbortController();
          const at: number[] = [];
          for (const leaving of leaves) {
            const place = window.take(leaving ? caller.signal : undefined) ?? Promise.resolve();
            place.then(
              () => at.push(performance.now()),
              () => {},
            );
          }
          await vi.advanceTimersByTimeAsync(leaveAtMs);
          const leftAt = performance.now();
          caller.abort();
          const sentBefore = at.length;
          await vi.runAllTimersAsync();

          for (const [i, sentAt] of at.slice(sentBefore).entries()) {
            const rounds = Math.floor(i / perSecond) + 1;
            expect(sentAt - leftAt).toBeLessThanOrEqual(LOOK_EVERY_MS + rounds * (HELD_MS + 2));
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test("calls that vanish hold up those who stay by no more than the places that were theirs", async () => {
    await fc.assert(
      fc.asyncProperty(
        perSeconds,
        arrivals(arrivalOf({ vanishes: fc.boolean() })),
        async (perSecond, arriving) => {
          const some = await play(perSecond, arriving);
          const all = await play(
            perSecond,
            arriving.map((arrival) => ({ ...arrival, vanishes: false })),
          );

          const atWithAll = new Map(all.sent.map(({ call, at }) => [call, at]));
          for (const { call, at } of some.sent) {
            expect(at).toBeLessThanOrEqual((atWithAll.get(call) as number) + LOOK_EVERY_MS);
          }
          expect(some.sent.length).toBeGreaterThanOrEqual(some.staying);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("however late the first requests arrive, the server counts no more than the limit in any second", async () => {
    await fc.assert(
      fc.asyncProperty(
        perSeconds,
        fc.array(
          fc.record({ afterMs: fc.integer({ min: 0, max: 6_000 }), calls: fc.integer({ min: 1, max: 30 }) }),
          {
            minLength: 1,
            maxLength: 5,
          },
        ),
        fc.integer({ min: 0, max: 900 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 20 })),
        fc.boolean(),
        async (perSecond, bursts, connectMs, jitter, isExact) => {
          const window = new SlidingWindow(perSecond, 10_000);
          const lateness = newLateness();
          const arrived: number[] = [];
          let warmAt = Number.NEGATIVE_INFINITY;
          const send = async () => {
            await window.take(undefined);
            const sentAt = performance.now();
            // A connection that nothing has used for four seconds has to be opened again.
            const ms = (sentAt - warmAt > 4_000 ? connectMs : 0) + (jitter.next().value as number);
            await new Promise((resolve) => setTimeout(resolve, ms));
            arrived.push(performance.now());
            warmAt = performance.now();
            window.sent(sentAt, isExact ? ms : lateness(sentAt, true));
          };
          for (const { afterMs, calls } of bursts) {
            await vi.advanceTimersByTimeAsync(afterMs);
            for (let i = 0; i < calls; i++) void send();
          }
          await vi.runAllTimersAsync();

          for (let i = perSecond; i < arrived.length; i++) {
            expect((arrived[i] as number) - (arrived[i - perSecond] as number)).toBeGreaterThanOrEqual(1_000);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test("never waits longer than the calls before it need", async () => {
    await fc.assert(
      fc.asyncProperty(perSeconds, fc.integer({ min: 1, max: 60 }), async (perSecond, calls) => {
        const arriving = [{ ...NOTHING, afterMs: 0, calls }];

        const { sent } = await play(perSecond, arriving);

        const windows = Math.floor((calls - 1) / perSecond);
        // The guard, and rounding up to whole milliseconds.
        const tookMs = (sent.at(-1) as Sent).at - (sent[0] as Sent).at;
        expect(tookMs).toBeLessThanOrEqual(windows * (HELD_MS + 2));
      }),
      { numRuns: 50 },
    );
  });
});

const NOTHING = { abortAfterMs: undefined, penaltyMs: undefined, perSecond: undefined, vanishes: false };

interface Sent {
  call: number;
  at: number;
  /** The limit at that time. */
  perSecond: number;
}

async function play(perSecond: number, arriving: Arrival[]) {
  const window = new SlidingWindow(perSecond, 10_000);
  const sent: Sent[] = [];
  let limit = perSecond;
  let aborted = 0;
  let calls = 0;
  let staying = 0;
  for (const arrival of arriving) {
    await vi.advanceTimersByTimeAsync(arrival.afterMs);
    if (arrival.penaltyMs !== undefined) window.penalize(arrival.penaltyMs);
    if (arrival.perSecond !== undefined) {
      limit = arrival.perSecond;
      window.resize(limit);
    }
    const caller = new AbortController();
    const { setTimeout } = globalThis;
    if (arrival.vanishes) globalThis.setTimeout = (() => 0) as never;
    else staying += arrival.calls;
    for (let i = 0; i < arrival.calls; i++) {
      const call = calls++;
      const pass = () => sent.push({ call, at: performance.now(), perSecond: limit });
      window.take(caller.signal)?.then(pass, () => aborted++) ?? pass();
    }
    globalThis.setTimeout = setTimeout;
    const { abortAfterMs } = arrival;
    if (abortAfterMs !== undefined) setTimeout(() => caller.abort(), abortAfterMs);
  }
  await vi.runAllTimersAsync();
  return { sent, aborted, calls, staying };
}
