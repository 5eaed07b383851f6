import { getEventListeners } from "node:events";
import { mock } from "node:test";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { GUARD_MS, LOOK_EVERY_MS, newWaiter, SlidingWindow } from "../../src/core/limit/sliding-window.ts";
import { ComplyCube, type ComplyCubeOptions, type RateLimiter } from "../../src/index.ts";

const TARGET = { appId: "com.myapp.demo.app" };
/** What a place is held for. */
const HELD_MS = 1_000 + GUARD_MS;

let keys = 0;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("SlidingWindow", () => {
  test("lets calls through at once while the second has room", () => {
    const window = new SlidingWindow(3);

    const turns = [1, 2, 3].map(() => window.take(undefined));

    expect(turns).toEqual([undefined, undefined, undefined]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("holds the next call until the first place is free, and not a millisecond less", async () => {
    const { window, sent, call } = watched(2);
    call("a");
    await vi.advanceTimersByTimeAsync(300);
    call("b");
    call("c");

    await vi.advanceTimersByTimeAsync(HELD_MS - 301);
    const before = [...sent];
    await vi.advanceTimersByTimeAsync(1);

    expect(before).toEqual(["a", "b"]);
    expect(sent).toEqual(["a", "b", "c"]);
    expect(window.idle).toBe(false);
  });

  test("is first come, first served, and lets nobody push in when a place is free", async () => {
    const { sent, call } = watched(1);
    for (const name of ["a", "b", "c", "d"]) call(name);
    await vi.advanceTimersByTimeAsync(HELD_MS);
    call("late");

    await vi.advanceTimersByTimeAsync(5 * HELD_MS);

    expect(sent).toEqual(["a", "b", "c", "d", "late"]);
  });

  test("the place of a request that left late counts from when it left", async () => {
    const { window, at, call } = watched(1);
    call("late");
    call("next");
    await vi.advanceTimersByTimeAsync(400);
    window.sent(at[0] as number, 300);
    await vi.advanceTimersByTimeAsync(5_000);

    expect((at[1] as number) - (at[0] as number)).toBe(300 + HELD_MS);
  });

  test("a request that left on time moves no place, nor does one that left late the place of another", async () => {
    const { window, at, call } = watched(2);
    call("on time");
    await vi.advanceTimersByTimeAsync(500);
    call("late");
    for (const name of ["c", "d"]) call(name);
    window.sent(at[0] as number, 0.9);
    window.sent(at[1] as number, 1);
    await vi.advanceTimersByTimeAsync(5_000);

    const [a = 0, b = 0, c = 0, d = 0] = at;
    expect([c - a, d - b]).toEqual([HELD_MS, HELD_MS + 1]);
  });

  test("a place that was moved is not taken for that of a later request", async () => {
    const { window, at, call } = watched(2);
    call("a");
    await vi.advanceTimersByTimeAsync(150);
    call("b");
    for (const name of ["c", "d"]) call(name);
    window.sent(at[0] as number, 100);
    window.sent(at[1] as number, 300);
    await vi.advanceTimersByTimeAsync(5_000);

    const [a = 0, b = 0, c = 0, d = 0] = at;
    expect([c - a, d - b]).toEqual([100 + HELD_MS, 300 + HELD_MS]);
  });

  test("a request that left late does not move a place that was taken after it was sent", async () => {
    const { window, at, call } = watched(2);
    call("a");
    await vi.advanceTimersByTimeAsync(1);
    call("b");
    call("c");
    window.sent(at[0] as number, 300);
    await vi.advanceTimersByTimeAsync(5_000);

    expect((at[2] as number) - (at[1] as number)).toBe(HELD_MS);
  });

  test("a call that waits for long looks once a second, and more often only when its turn is near", async () => {
    const window = new SlidingWindow(1);
    for (let i = 0; i < 20; i++) window.take(undefined);
    const waiter = newWaiter();
    let looks = 0;

    for (let waitMs = window.ask(waiter); waitMs > 0; waitMs = window.ask(waiter)) {
      looks++;
      await vi.advanceTimersByTimeAsync(waitMs);
    }

    expect(looks).toBeGreaterThan(30);
    expect(looks).toBeLessThan(60);
  });

  test("a request that left late holds its place where the clock has gone back meanwhile", () => {
    const now = vi.spyOn(performance, "now").mockReturnValue(10_000);
    const window = new SlidingWindow(1);
    const asks = () => window.ask(newWaiter()) === 0;
    window.take(undefined);
    now.mockReturnValue(1_000);
    asks(); // It notices.
    window.sent(1_000, 300);
    now.mockReturnValue(1_000 + HELD_MS + 299);
    const before = asks();
    now.mockReturnValue(4_000); // Those who waited have vanished by now.

    expect([before, asks()]).toEqual([false, true]);
  });

  test("a place that has lapsed by the time it is known to be late slows nobody down", async () => {
    const { window, at, call } = watched(1);
    call("a");
    await vi.advanceTimersByTimeAsync(3_000);
    window.sent(at[0] as number, 1_000);
    call("b");
    call("c");
    await vi.advanceTimersByTimeAsync(5_000);

    expect((at[2] as number) - (at[1] as number)).toBe(HELD_MS);
  });

  test("a request that left after its place had lapsed counts from when it left", async () => {
    const { window, at, call } = watched(1);
    call("a");
    await vi.advanceTimersByTimeAsync(3_000);
    expect(window.idle).toBe(true); // It looked, and has forgotten the place.
    window.sent(at[0] as number, 2_990);
    call("b");
    await vi.advanceTimersByTimeAsync(5_000);

    expect((at[1] as number) - (at[0] as number)).toBe(2_990 + HELD_MS);
  });

  test.each(["012", "021", "102", "120", "201", "210"])(
    "each of three requests that left late counts for itself, told of in the order %s",
    async (order) => {
      const { window, at, call } = watched(3);
      for (const name of ["a", "b", "c"]) {
        call(name);
        await vi.advanceTimersByTimeAsync(2);
      }
      for (const name of ["d", "e", "f"]) call(name);

      await vi.advanceTimersByTimeAsync(300);
      // All three had their places when the first of them was sent.
      for (const i of order) window.sent((at[0] as number) + 5 + Number(i), 100 * (Number(i) + 1));
      await vi.advanceTimersByTimeAsync(10_000);

      const [a = 0, , , d = 0, e = 0, f = 0] = at;
      expect([d - a, e - a, f - a]).toEqual([105 + HELD_MS, 206 + HELD_MS, 307 + HELD_MS]);
    },
  );

  test("leaves nothing behind where a place is moved again and again", async () => {
    const set = vi.spyOn(Map.prototype, "set");
    const window = new SlidingWindow(2);

    for (let i = 0; i < 1_000; i++) {
      await vi.advanceTimersByTimeAsync(100);
      window.sent(performance.now() - 50, 50);
    }

    const held = set.mock.contexts.at(-1) as Map<number, number>;
    expect(held.size).toBe(1);
  });

  test("an abort leaves the line at once, with the caller's reason, and gives the place to the next that asks", async () => {
    const { window, sent, call } = watched(1, 1);
    const caller = new AbortController();
    call("a");
    const waiting = call("b", caller.signal);
    expect(() => window.take(undefined)).toThrow("1 calls already wait");

    caller.abort("the user left");

    await expect(waiting).rejects.toBe("the user left");
    expect(getEventListeners(caller.signal, "abort")).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    call("c");
    await vi.advanceTimersByTimeAsync(HELD_MS);
    expect(sent).toEqual(["a", "c"]);
  });

  test("leaves no listener behind when the turn comes", async () => {
    const { sent, call } = watched(1);
    const { signal } = new AbortController();
    call("a");
    call("b", signal);

    await vi.advanceTimersByTimeAsync(HELD_MS);

    expect(sent).toEqual(["a", "b"]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("an abort in the tick in which the turn comes gives the place to the next", async () => {
    const { sent, call } = watched(1);
    const caller = new AbortController();
    call("a");
    const waiting = call("b", caller.signal);
    call("c");

    vi.advanceTimersByTime(HELD_MS); // Wakes it; nothing that awaits it has run yet.
    caller.abort("now");

    await expect(waiting).rejects.toBe("now");
    await vi.advanceTimersByTimeAsync(LOOK_EVERY_MS);
    expect(sent).toEqual(["a", "c"]);
    expect(getEventListeners(caller.signal, "abort")).toEqual([]);
  });

  test("one call more than may wait fails with RateLimitQueueFullError", () => {
    const { window, call } = watched(1, 2);
    for (const name of ["a", "b", "c"]) call(name);

    const error = caught(() => window.take(undefined));

    expect(error).toMatchObject({
      name: "RateLimitQueueFullError",
      code: "rate_limit_queue_full",
      maxQueue: 2,
      attempts: 0,
    });
  });

  test("penalize holds back those who wait and those who come, and then no longer", async () => {
    const { window, sent, call } = watched(5);
    window.penalize(3_000);
    call("a");
    window.penalize(10); // A shorter one takes nothing away.

    await vi.advanceTimersByTimeAsync(2_999);
    const before = [...sent];
    await vi.advanceTimersByTimeAsync(1);
    call("b");

    expect(before).toEqual([]);
    expect(sent).toEqual(["a", "b"]);
  });

  test("resize lets those in who now have room, when they look", async () => {
    const { window, sent, call } = watched(1);
    for (const name of ["a", "b", "c", "d"]) call(name);

    window.resize(3);
    await vi.advanceTimersByTimeAsync(LOOK_EVERY_MS);
    const widened = [...sent];
    window.resize(Number.POSITIVE_INFINITY);
    await vi.advanceTimersByTimeAsync(LOOK_EVERY_MS);

    expect(widened).toEqual(["a", "b", "c"]);
    expect(sent).toEqual(["a", "b", "c", "d"]);
  });

  test("a lowered limit waits until enough places are free", async () => {
    const { window, sent, call } = watched(4);
    for (const name of ["a", "b"]) call(name);
    await vi.advanceTimersByTimeAsync(500);
    for (const name of ["c", "d"]) call(name);

    window.resize(2);
    call("e");
    await vi.advanceTimersByTimeAsync(HELD_MS - 1);
    const before = sent.length;
    await vi.advanceTimersByTimeAsync(1);

    expect(before).toBe(4);
    expect(sent).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("does not look at the wall clock", async () => {
    const { sent, call } = watched(1);
    call("a");
    call("b");

    vi.setSystemTime(Date.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(HELD_MS - 1);
    const before = [...sent];
    vi.setSystemTime(Date.now() - 7_200_000);
    await vi.advanceTimersByTimeAsync(1);

    expect(before).toEqual(["a"]);
    expect(sent).toEqual(["a", "b"]);
  });

  test("has a timer for each call that waits, and none otherwise", async () => {
    const { call } = watched(1);
    call("a");
    const idle = vi.getTimerCount();
    call("b");
    call("c");
    const waiting = vi.getTimerCount();

    await vi.advanceTimersByTimeAsync(2 * HELD_MS);

    expect([idle, waiting, vi.getTimerCount()]).toEqual([0, 2, 0]);
  });

  test("a call whose timer never fires holds nobody up for longer than its own place", async () => {
    const { sent, call } = watched(1);
    call("a");
    withoutTimers(() => call("vanished")); // As when a runtime cancels its request.
    call("b");
    call("c");

    await vi.advanceTimersByTimeAsync(4 * HELD_MS);

    expect(sent).toEqual(["a", "b", "c"]);
  });

  test.each([
    [1_075, "waits: the other may only be late"],
    [1_076, "goes: the other is 51 ms late, and it is on time itself"],
    [1_125, "goes: it is not later than that itself"],
    [1_126, "waits: it is late itself, as all are where the event loop was busy"],
    [2_025, "still waits"],
    [2_026, "goes: the other is over a second late"],
  ])(
    "a call behind one that should have looked at 1,025 ms, which itself should have at 1,075, at %i %s",
    (at, what) => {
      const window = new SlidingWindow(1);
      const [vanished, behind] = [newWaiter(), newWaiter()];
      window.take(undefined); // Free at 1,025 ms.
      vi.advanceTimersByTime(925);
      window.ask(vanished);
      vi.advanceTimersByTime(50);
      window.ask(behind);
      vi.advanceTimersByTime(at - 975);

      const waitMs = window.ask(behind);

      expect(waitMs === 0 ? "goes" : "waits").toBe(what.replace("still ", "").split(":")[0]);
    },
  );

  test.each([
    [2_025, false],
    [2_026, true],
  ])("a call that should have looked at 1,025 ms has vanished for good: at %i %s", (at, expected) => {
    const window = new SlidingWindow(1);
    window.take(undefined);
    vi.advanceTimersByTime(925);
    window.ask(newWaiter());
    vi.advanceTimersByTime(at - 925);

    expect(window.idle).toBe(expected);
  });

  test("a call that is late to look keeps its place in the line", async () => {
    const { sent, call } = watched(1);
    call("a");
    later(200, () => call("b")); // As when something else keeps the event loop busy.
    call("c");

    await vi.advanceTimersByTimeAsync(3 * HELD_MS);

    expect(sent).toEqual(["a", "b", "c"]);
  });

  test("a call that is late to look is not refused by a queue that is full meanwhile", async () => {
    const { window, sent, call } = watched(1, 1);
    call("a");
    window.penalize(5_000);
    const waiting = later(3_000, () => call("b")); // Meanwhile it passes for one that has vanished.
    await vi.advanceTimersByTimeAsync(2_500);
    call("c");

    await vi.advanceTimersByTimeAsync(10_000);

    await expect(waiting).resolves.toBeUndefined();
    expect(sent).toEqual(["a", "b", "c"]);
  });

  test("whoever comes while the event loop is late overtakes nobody", async () => {
    const { sent, call } = watched(1);
    call("a");
    later(1_000, () => call("b")); // It looks at 1,100, and the place of `a` is free at 1,025.
    await vi.advanceTimersByTimeAsync(1_050);
    call("c");

    await vi.advanceTimersByTimeAsync(3_000);

    expect(sent).toEqual(["a", "b", "c"]);
  });

  test("who comes up within two seconds looks ten times a second, who stands further behind once", async () => {
    const { sent, call } = watched(1);
    const caller = new AbortController();
    call("a");
    call("b", caller.signal);
    call("c"); // Its place is in 2,050 ms.
    await vi.advanceTimersByTimeAsync(HELD_MS - 5);
    caller.abort();

    await vi.advanceTimersByTimeAsync(100);

    expect(sent).toEqual(["a", "c"]);
  });

  test("the place that is free first is the next, whichever was taken first", async () => {
    const { window, at, call } = watched(2);
    call("a");
    await vi.advanceTimersByTimeAsync(200);
    window.sent(at[0] as number, 400);
    await vi.advanceTimersByTimeAsync(50);
    call("b");
    window.sent(at[1] as number, 0.9); // Nothing moves.
    call("c");

    await vi.advanceTimersByTimeAsync(3_000);

    expect((at[2] as number) - (at[1] as number)).toBe(HELD_MS);
  });

  test("is idle once no place is held, nobody waits and no penalty lasts", async () => {
    const { window, call } = watched(1);
    const idle: boolean[] = [];
    window.penalize(500);
    idle.push(window.idle);
    await vi.advanceTimersByTimeAsync(500);
    idle.push(window.idle);
    call("a");
    idle.push(window.idle);
    setTimeout(() => idle.push(window.idle), HELD_MS); // Before the call that waits has looked.
    call("b");

    await vi.advanceTimersByTimeAsync(HELD_MS);
    await vi.advanceTimersByTimeAsync(HELD_MS);

    expect([...idle, window.idle]).toEqual([false, true, false, false, true]);
  });

  test("a million places a second, once used, are forgotten with the next call", async () => {
    const window = new SlidingWindow(1_000_000);
    for (let i = 0; i < 200_000; i++) window.take(undefined);

    await vi.advanceTimersByTimeAsync(HELD_MS);

    expect(window.idle).toBe(true);
  });
});

describe("rateLimit", () => {
  test.each([
    ["live_", undefined, 10],
    ["test_", undefined, 5],
    ["other_", undefined, 40],
    ["test_", 7, 7],
    ["test_", { perSecond: 3 }, 3],
    ["test_", false, 40],
  ] as const)("a %s key with rateLimit %o sends %i of 40 at once", async (prefix, rateLimit, expected) => {
    const { client, sent } = counted({ apiKey: key(prefix), rateLimit });

    for (let i = 0; i < 40; i++) void client.token.generate("CLIENT_ID", TARGET);
    await vi.advanceTimersByTimeAsync(0);

    expect(sent.length).toBe(expected);
  });

  test.each([
    [0, RangeError, "rateLimit must be a whole number from 1"],
    [2.5, RangeError, "rateLimit must be a whole number from 1"],
    ["5", TypeError, "rateLimit must be a number, { perSecond }, false or a RateLimiter, not a string."],
    [true, TypeError, "rateLimit must be a number"],
    [null, TypeError, "rateLimit must be a number"],
    [{}, TypeError, "rateLimit.perSecond is missing."],
    [{ perSecond: 5, queue: 1 }, TypeError, 'rateLimit has an unknown field "queue"'],
    [{ perSecond: 5, maxQueue: -1 }, RangeError, "rateLimit.maxQueue must be a whole number from 0"],
  ])("%o is refused at construction", (rateLimit, type, message) => {
    const error = caught(() => new ComplyCube({ apiKey: "test_KEY", rateLimit: rateLimit as number }));

    expect(error).toBeInstanceOf(type);
    expect((error as Error).message).toContain(message);
  });

  test("clients with one key share its limit; another key and another baseUrl have their own", async () => {
    const apiKey = key("test_");
    const first = counted({ apiKey });
    const second = counted({ apiKey });
    const otherKey = counted({ apiKey: key("test_") });
    const otherHost = counted({ apiKey, baseUrl: "https://gateway.example.com" });

    for (const { client } of [first, second, otherKey, otherHost]) {
      for (let i = 0; i < 4; i++) void client.token.generate("CLIENT_ID", TARGET);
    }
    await vi.advanceTimersByTimeAsync(0);

    expect(first.sent.length + second.sent.length).toBe(5);
    expect([otherKey.sent.length, otherHost.sent.length]).toEqual([4, 4]);
  });

  test("a client made anew for each request does not get around the limit", async () => {
    const apiKey = key("test_");
    const sent: number[] = [];

    for (let i = 0; i < 20; i++) {
      void counted({ apiKey }, sent).client.token.generate("CLIENT_ID", TARGET);
      void counted({ apiKey: key("live_") }).client.token.generate("CLIENT_ID", TARGET); // Nor do others in between.
    }
    await vi.advanceTimersByTimeAsync(0);

    expect(sent.length).toBe(5);
  });

  test("forgets the limits of accounts that nobody uses any more", async () => {
    for (let i = 0; i < 50; i++)
      await counted({ apiKey: key("test_") }).client.token.generate("CLIENT_ID", TARGET);
    await vi.advanceTimersByTimeAsync(5_000);

    await counted({ apiKey: key("test_") }).client.token.generate("CLIENT_ID", TARGET);

    const accounts = (globalThis as Record<symbol, unknown>)[Symbol.for("complycube-tokens.accounts")] as Map<
      number,
      unknown
    >;
    expect(accounts.size).toBe(1);
  });

  test("a key function is asked before a place is taken, and the limit is its key's", async () => {
    const apiKey = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return key("live_");
    };
    const { client, asked, sent } = counted({ apiKey });

    for (let i = 0; i < 40; i++) void client.token.generate("CLIENT_ID", TARGET);
    await vi.advanceTimersByTimeAsync(0);
    const askedAtOnce = asked();
    await vi.advanceTimersByTimeAsync(50);

    expect(askedAtOnce).toBe(40);
    expect(sent.length).toBe(10);
  });

  test("waiting for a turn is outside the deadline of the attempt", async () => {
    const { client } = counted({ apiKey: key("test_"), timeoutMs: 100 });
    const calls = Array.from({ length: 11 }, () => client.token.generate("CLIENT_ID", TARGET));

    await vi.advanceTimersByTimeAsync(5_000);

    await expect(Promise.all(calls)).resolves.toHaveLength(11);
  });

  test.each([
    [200, 1],
    [400, 1],
    [200, undefined],
  ])(
    "the answer %i frees a place on a cold connection a second later, rateLimit %o",
    async (status, rateLimit) => {
      const baseUrl = `https://answers-${status}-${rateLimit}.example.com`; // Nobody knows yet how fast it answers.
      const { client, sent } = counted({ apiKey: key("test_"), baseUrl, rateLimit }, [], async () => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        return Response.json({ token: "TOKEN" }, { status });
      });
      const places = rateLimit ?? 5;

      for (let i = 0; i <= places; i++) void client.token.generate("CLIENT_ID", TARGET).catch(() => {});
      await vi.advanceTimersByTimeAsync(HELD_MS + 99);
      const before = sent.length;
      await vi.advanceTimersByTimeAsync(1);

      expect([before, sent.length]).toEqual([places, places + 1]);
    },
  );

  test("a refusal, which may be quick, says nothing of how late other requests left", async () => {
    const answers: [status: number, afterMs: number][] = [
      [201, 300],
      [400, 20],
      [201, 220],
      [201, 220],
    ];
    const late: number[] = [];
    const sent = (_: number, lateMs: number) => void late.push(lateMs);
    const client = new ComplyCube({
      apiKey: key("test_"),
      baseUrl: "https://refusals.example.com", // Nobody knows yet how fast it answers.
      rateLimit: { acquire: async () => {}, sent },
      fetch: async () => {
        const [status, afterMs] = answers[late.length] ?? [500, 0];
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        return Response.json({ token: "TOKEN" }, { status });
      },
    });

    for (let i = 0; i < answers.length; i++) {
      client.token.generate("CLIENT_ID", TARGET).catch(() => {});
      await vi.advanceTimersByTimeAsync(500);
    }

    expect(late).toEqual([300, 20, 220, 0]);
  });

  test("a retry takes a place too", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const { client, sent } = counted({ apiKey: key("test_"), rateLimit: 2, maxRetries: 2 }, [], async () => {
      return new Response(null, { status: 503 });
    });

    const call = client.token.generate("CLIENT_ID", TARGET).catch((error) => error);
    await vi.advanceTimersByTimeAsync(HELD_MS - 1);
    const before = sent.length;
    await vi.advanceTimersByTimeAsync(10);

    expect(before).toBe(2);
    expect(await call).toMatchObject({ status: 503, attempts: 3 });
  });

  test.each([
    [429, {}, 1_000],
    [429, { "retry-after": "20" }, 20_000],
    [503, { "retry-after": "20" }, 20_000],
    [429, { "retry-after": "7200" }, 60_000],
    [503, {}, 0],
  ])("a %i with %o holds the others back for %i ms", async (status, headers, holdMs) => {
    const answers = [new Response(null, { status, headers })];
    const { client, sent } = counted({ apiKey: key("live_"), maxRetries: 0 }, [], async () => {
      return answers.shift() ?? Response.json({ token: "TOKEN" });
    });
    await client.token.generate("CLIENT_ID", TARGET).catch(() => {});

    void client.token.generate("CLIENT_ID", TARGET);
    await vi.advanceTimersByTimeAsync(Math.max(0, holdMs - 1));
    const before = sent.length;
    await vi.advanceTimersByTimeAsync(1);

    expect(before).toBe(holdMs === 0 ? 2 : 1);
    expect(sent.length).toBe(2);
  });

  test("a full queue rejects the call, and nothing is sent for it", async () => {
    const rateLimit = { perSecond: 1, maxQueue: 1 };
    const { client, sent } = counted({ apiKey: key("test_"), rateLimit });
    const calls = [1, 2, 3].map(() => client.token.generate("CLIENT_ID", TARGET));

    await expect(calls[2]).rejects.toMatchObject({ name: "RateLimitQueueFullError", attempts: 0 });
    await vi.advanceTimersByTimeAsync(HELD_MS);

    await expect(Promise.all(calls.slice(0, 2))).resolves.toHaveLength(2);
    expect(sent.length).toBe(2);
  });

  test("a queue that is full for the second attempt counts the one that was sent", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const rateLimit = { perSecond: 1, maxQueue: 0 };
    const { client, sent } = counted({ apiKey: key("test_"), rateLimit }, [], async () => {
      return new Response(null, { status: 503 });
    });

    const call = client.token.generate("CLIENT_ID", TARGET).catch((error) => error);
    await vi.advanceTimersByTimeAsync(HELD_MS);

    expect(await call).toMatchObject({ name: "RateLimitQueueFullError", attempts: 1 });
    expect(sent.length).toBe(1);
  });

  test("a call that is aborted in the queue sends nothing", async () => {
    const { client, sent } = counted({ apiKey: key("test_"), rateLimit: 1 });
    const caller = new AbortController();
    await client.token.generate("CLIENT_ID", TARGET);
    const waiting = client.token.generate("CLIENT_ID", TARGET, { signal: caller.signal });

    caller.abort("now");

    await expect(waiting).rejects.toBe("now");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent.length).toBe(1);
  });
});

/** Far less than the time by which the fake clock was ahead, and far more than a busy machine takes. */
const PROMPT_MS = 30_000;

describe("after fake timers", () => {
  test.each<[string, number]>([
    ["were taken off again", 0],
    ["advanced an hour", 3_600_000],
  ])("that %s, calls with the same key go on", async (_, advanceMs) => {
    const apiKey = key("test_");
    const faked = counted({ apiKey });
    for (let i = 0; i < 8; i++) void faked.client.token.generate("CLIENT_ID", TARGET);
    await vi.advanceTimersByTimeAsync(advanceMs);
    for (let i = 0; i < 8; i++) void faked.client.token.generate("CLIENT_ID", TARGET);
    await vi.advanceTimersByTimeAsync(0);
    vi.useRealTimers();

    const startedAt = performance.now();
    const real = counted({ apiKey });
    await Promise.all([1, 2, 3].map(() => real.client.token.generate("CLIENT_ID", TARGET)));

    expect(performance.now() - startedAt).toBeLessThan(PROMPT_MS);
  });

  test("that node:test mocked, calls with the same key go on", async () => {
    vi.useRealTimers();
    const apiKey = key("test_");
    mock.timers.enable();
    const mocked = counted({ apiKey });
    for (let i = 0; i < 8; i++) void mocked.client.token.generate("CLIENT_ID", TARGET);
    mock.timers.tick(3_600_000);
    for (let i = 0; i < 8; i++) void mocked.client.token.generate("CLIENT_ID", TARGET); // Their timers never fire.
    mock.timers.reset();

    const startedAt = performance.now();
    const real = counted({ apiKey });
    await Promise.all([1, 2, 3].map(() => real.client.token.generate("CLIENT_ID", TARGET)));

    expect(performance.now() - startedAt).toBeLessThan(PROMPT_MS);
  });

  test("a penalty does not outlive the time it was meant for", async () => {
    const apiKey = key("test_");
    const faked = counted({ apiKey, maxRetries: 0 }, [], async () => new Response(null, { status: 429 }));
    await vi.advanceTimersByTimeAsync(3_600_000);
    await faked.client.token.generate("CLIENT_ID", TARGET).catch(() => {});
    vi.useRealTimers();

    const startedAt = performance.now();
    await counted({ apiKey }).client.token.generate("CLIENT_ID", TARGET);

    expect(performance.now() - startedAt).toBeLessThan(PROMPT_MS);
  });
});

describe("a call with room", () => {
  test.each([
    ["the default", undefined],
    ["a number", 5],
    ["no limit", false],
  ] as const)("starts its attempt before generate returns: %s", (_, rateLimit) => {
    const { client, asked } = counted({ apiKey: () => key("test_"), rateLimit });

    void client.token.generate("CLIENT_ID", TARGET);

    expect(asked()).toBe(1);
  });
});

describe("a RateLimiter of one's own", () => {
  test("is asked before each attempt, with the caller's signal, and told of a 429 and of every request", async () => {
    const acquire = vi.fn(async () => {});
    const penalize = vi.fn();
    const answers = [new Response(null, { status: 429, headers: { "retry-after": "1" } })];
    const toldSent = vi.fn();
    const { client } = counted({ rateLimit: { acquire, penalize, sent: toldSent } }, [], async () => {
      return answers.shift() ?? Response.json({ token: "TOKEN" });
    });
    const startedAt = performance.now();
    const { signal } = new AbortController();

    const call = client.token.generate("CLIENT_ID", TARGET, { signal });
    await vi.advanceTimersByTimeAsync(2_000);

    await expect(call).resolves.toBe("TOKEN");
    expect(acquire.mock.calls).toEqual([[signal], [signal]]);
    expect(penalize.mock.calls).toEqual([[1_000]]);
    expect(toldSent).toHaveBeenCalledTimes(2);
    expect(toldSent.mock.calls[0]).toEqual([startedAt, 0]);
    expect(toldSent.mock.calls[1]?.[0] - startedAt).toBeGreaterThanOrEqual(1_000);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test.each<[string, () => unknown]>([
    [
      "throw",
      () => {
        throw new Error("the store is away");
      },
    ],
    ["reject", () => Promise.reject(new Error("the store is away"))],
  ])("whose penalize and sent %s changes nothing about the call", async (_, hook) => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    onTestFinished(() => void process.off("unhandledRejection", unhandled));
    const fails = hook as () => void;
    const rateLimit: RateLimiter = { acquire: async () => {}, penalize: fails, sent: fails };
    const answer = async () => new Response("{}", { status: 429 });
    const { client } = counted({ rateLimit, maxRetries: 0 }, [], answer);

    const call = client.token.generate("CLIENT_ID", TARGET);

    await expect(call).rejects.toMatchObject({ name: "RateLimitError", status: 429, attempts: 1 });
    vi.useRealTimers();
    await new Promise((resolve) => setTimeout(resolve, 5)); // Node.js tells of a rejection after the turn it came in.
    expect(unhandled).not.toHaveBeenCalled();
  });

  test("does not keep an aborted call waiting", async () => {
    const never: RateLimiter = { acquire: () => new Promise(() => {}) };
    const { client, sent } = counted({ rateLimit: never });
    const caller = new AbortController();
    const call = client.token.generate("CLIENT_ID", TARGET, { signal: caller.signal });

    caller.abort("now");

    await expect(call).rejects.toBe("now");
    expect(getEventListeners(caller.signal, "abort")).toEqual([]);
    expect(sent.length).toBe(0);
  });

  test("sends nothing for a call that it aborts itself", async () => {
    const caller = new AbortController();
    const { client, sent } = counted({ rateLimit: { acquire: async () => caller.abort("no turn today") } });

    const call = client.token.generate("CLIENT_ID", TARGET, { signal: caller.signal });

    await expect(call).rejects.toBe("no turn today");
    expect(getEventListeners(caller.signal, "abort")).toEqual([]);
    expect(sent.length).toBe(0);
  });

  test.each<[string, AbortSignal | undefined]>([
    ["without a signal", undefined],
    ["with one", new AbortController().signal],
  ])("rejects the call with what it rejects with, %s", async (_, signal) => {
    const error = new Error("the store is away");
    const { client, sent } = counted({ rateLimit: { acquire: () => Promise.reject(error) } });

    await expect(client.token.generate("CLIENT_ID", TARGET, { signal })).rejects.toBe(error);
    expect(sent.length).toBe(0);
  });
});

/** Lets the first timer of what runs fire so much later. */
function later<T>(ms: number, run: () => T): T {
  const { setTimeout } = globalThis;
  globalThis.setTimeout = ((listener: () => void, after: number) =>
    setTimeout(listener, after + ms)) as never;
  try {
    return run();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
}

/** A window, the names of the calls it let through, and when. */
function watched(perSecond: number, maxQueue?: number) {
  const window = new SlidingWindow(perSecond, maxQueue);
  const sent: string[] = [];
  const at: number[] = [];
  const call = (name: string, signal?: AbortSignal) => {
    const pass = () => {
      sent.push(name);
      at.push(performance.now());
    };
    const turn = window.take(signal);
    if (turn === undefined) return pass();
    const passed = turn.then(pass);
    passed.catch(() => {});
    return passed;
  };
  return { window, sent, at, call };
}

/** A client whose fetch is a stand-in that notes when it was called. */
function counted(
  options: ComplyCubeOptions,
  sent: number[] = [],
  answer = async () => Response.json({ token: "TOKEN" }),
) {
  let keysAsked = 0;
  const { apiKey } = options;
  const asking =
    typeof apiKey === "function"
      ? () => {
          keysAsked++;
          return apiKey();
        }
      : (apiKey ?? key("test_"));
  const client = new ComplyCube({
    ...options,
    apiKey: asking,
    fetch: () => {
      sent.push(performance.now());
      return answer();
    },
  });
  return { client, sent, asked: () => keysAsked };
}

/** A key that no other test has used, because a key's limit is shared. */
function key(prefix: string): string {
  return `${prefix}KEY_${++keys}`;
}

function withoutTimers(run: () => void): void {
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (() => 0) as never;
  run();
  globalThis.setTimeout = setTimeout;
}

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
