import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SlidingWindow } from "../../src/core/limit/sliding-window.ts";

interface Arrival {
  afterMs: number;
  calls: number;
  abortAfterMs: number | undefined;
  penaltyMs: number | undefined;
}

const arrival: fc.Arbitrary<Arrival> = fc.record({
  // Around the edges of a second too, where a fixed window lets through twice its limit.
  afterMs: fc.oneof(
    fc.integer({ min: 0, max: 30 }),
    fc.integer({ min: 950, max: 1_250 }),
    fc.double({ min: 0, max: 5_000, noNaN: true }),
  ),
  calls: fc.integer({ min: 1, max: 25 }),
  abortAfterMs: fc.option(fc.integer({ min: 0, max: 3_000 }), { nil: undefined, freq: 3 }),
  penaltyMs: fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined, freq: 8 }),
});

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("SlidingWindow", () => {
  test("whatever the arrival pattern, no second has more than the limit, and everyone who stays is served in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.array(arrival, { minLength: 1, maxLength: 20 }),
        async (perSecond, arrivals) => {
          const { sent, aborted, calls } = await play(perSecond, arrivals);

          for (let i = perSecond; i < sent.length; i++) {
            const first = sent[i - perSecond] as Sent;
            const last = sent[i] as Sent;
            expect(last.at - first.at).toBeGreaterThanOrEqual(1_000);
          }
          expect(sent.map(({ call }) => call)).toEqual(
            sent.map(({ call }) => call).toSorted((a, b) => a - b),
          );
          expect(sent.length + aborted).toBe(calls);
          expect(vi.getTimerCount()).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("however late the first requests arrive, the server counts no more than the limit in any second", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.array(
          fc.record({ afterMs: fc.integer({ min: 0, max: 6_000 }), calls: fc.integer({ min: 1, max: 30 }) }),
          {
            minLength: 1,
            maxLength: 5,
          },
        ),
        fc.integer({ min: 0, max: 900 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 20 })),
        async (perSecond, bursts, connectMs, jitter) => {
          const window = new SlidingWindow(perSecond, 10_000);
          const arrived: number[] = [];
          let warmAt = Number.NEGATIVE_INFINITY;
          const send = async () => {
            await window.acquire();
            const sentAt = performance.now();
            // A connection that nothing has used for four seconds has to be opened again.
            const ms = (sentAt - warmAt > 4_000 ? connectMs : 0) + (jitter.next().value as number);
            await new Promise((resolve) => setTimeout(resolve, ms));
            arrived.push(performance.now());
            warmAt = performance.now();
            window.settled(sentAt, true);
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
      { numRuns: 200 },
    );
  });

  test("never waits longer than the calls before it need", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 60 }),
        async (perSecond, calls) => {
          const window = new SlidingWindow(perSecond, 10_000);
          const at: number[] = [];
          for (let i = 0; i < calls; i++) {
            void window.acquire().then(() => {
              at.push(performance.now());
              window.settled(performance.now(), true);
            });
          }
          await vi.runAllTimersAsync();

          const windows = Math.floor((calls - 1) / perSecond);
          // The guard, and a timer's rounding.
          expect((at.at(-1) as number) - (at[0] as number)).toBeLessThanOrEqual(windows * 1_026);
        },
      ),
      { numRuns: 50 },
    );
  });
});

interface Sent {
  call: number;
  at: number;
}

async function play(perSecond: number, arrivals: Arrival[]) {
  const window = new SlidingWindow(perSecond, 10_000);
  const sent: Sent[] = [];
  let aborted = 0;
  let calls = 0;
  for (const { afterMs, calls: count, abortAfterMs, penaltyMs } of arrivals) {
    await vi.advanceTimersByTimeAsync(afterMs);
    if (penaltyMs !== undefined) window.penalize(penaltyMs);
    const caller = new AbortController();
    for (let i = 0; i < count; i++) {
      const call = calls++;
      window.acquire(caller.signal).then(
        () => sent.push({ call, at: performance.now() }),
        () => aborted++,
      );
    }
    if (abortAfterMs !== undefined) setTimeout(() => caller.abort(), abortAfterMs);
  }
  await vi.runAllTimersAsync();
  return { sent, aborted, calls };
}
