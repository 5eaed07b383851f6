import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { RateLimiter } from "../../src/index.ts";
import { type RedisRateLimitOptions, redisRateLimit } from "../../src/redis/index.ts";
import { hasRedis, type RedisServer, startRedis } from "../support/redis-server.ts";

const NOTHING = () => {};
const IOREDIS = { defineCommand: NOTHING, evalsha: NOTHING, eval: NOTHING };

describe("redisRateLimit", () => {
  test.each([
    [{}, TypeError, "perSecond is missing."],
    [{ perSecond: 0 }, RangeError, "perSecond must be a whole number from 1"],
    [{ perSecond: 10 }, TypeError, "store must be a client of ioredis (Redis or Cluster) or of redis"],
    [{ perSecond: 10, store: {} }, TypeError, "store must be a client of ioredis"],
    [{ perSecond: 10, key: "" }, TypeError, "key must be the name of a key in Redis, not blank."],
    [{ perSecond: 10, prefix: "a" }, TypeError, 'options has an unknown field "prefix"'],
    [{ perSecond: 10, store: IOREDIS, fallbackPerSecond: 0 }, RangeError, "fallbackPerSecond"],
    [{ perSecond: 10, store: IOREDIS, onError: 1 }, TypeError, "onError must be a function"],
    // As @upstash/redis, Bun.redis, the callbacks of redis 3 and a generic-pool have it.
    [{ perSecond: 10, store: { eval: NOTHING, evalsha: NOTHING } }, TypeError, "@upstash/redis"],
    [{ perSecond: 10, store: { send: NOTHING, eval: NOTHING } }, TypeError, "Bun.redis"],
    [{ perSecond: 10, store: { evalsha: NOTHING, send_command: NOTHING } }, TypeError, "of ioredis"],
    [{ perSecond: 10, store: { acquire: NOTHING, release: NOTHING } }, TypeError, "createClientPool"],
  ])("refuses %o", (options, type, message) => {
    const make = () => redisRateLimit(options as unknown as RedisRateLimitOptions);

    expect(make).toThrow(type);
    expect(make).toThrow(message);
  });

  test("an onError that rejects changes nothing about the call", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    onTestFinished(() => void process.off("unhandledRejection", unhandled));
    let calls = 0;
    // Not a `vi.fn`, which handles the rejection itself.
    const onError = async () => {
      calls++;
      throw new Error("the log is away");
    };
    const fail = async () => {
      throw new Error("READONLY");
    };
    const store = { ...IOREDIS, status: "ready", connect: fail, evalsha: fail, eval: fail };
    const limit = redisRateLimit({ store, perSecond: 10, fallbackPerSecond: 10, onError });

    await limit.acquire();
    await delay(5); // Node.js tells of a rejection after the turn it came in.

    expect(calls).toBe(1);
    expect(unhandled).not.toHaveBeenCalled();
  });

  test("no call goes before Redis has let it, however long each step of the process takes", async () => {
    const now = performance.now.bind(performance);
    let reads = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now() + 0.7 * ++reads);
    onTestFinished(() => void vi.restoreAllMocks());
    let places = 0;
    let tickets = 0;
    const asked = new Map<number, number>();
    const answer = async (_script: string, _keys: number, _key: string, op: string, known: string) => {
      const ticket = op === "ask" && known === "0" ? ++tickets : Number(known);
      const times = (asked.get(ticket) ?? 0) + 1;
      asked.set(ticket, times);
      if (times === 4) places++;
      return [ticket, times < 4 ? times : 0];
    };
    const store = { ...IOREDIS, status: "ready", connect: async () => {}, evalsha: answer, eval: answer };
    const limit = redisRateLimit({ store, perSecond: 10 });
    const early: number[] = [];

    await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        await limit.acquire();
        if (--places < 0) early.push(i);
      }),
    );

    expect(early).toEqual([]);
  });
});

describe.skipIf(!hasRedis)(
  hasRedis ? "redisRateLimit on a real Redis" : "redisRateLimit (SKIPPED: redis-server is not installed)",
  () => {
    let redis: RedisServer;
    let io: Redis;
    let node: ReturnType<typeof createClient>;
    let keys = 0;

    beforeAll(async () => {
      redis = await startRedis();
      io = new Redis(redis.port, "127.0.0.1", { retryStrategy: () => 50 });
      io.on("error", () => {});
      node = createClient({ socket: { host: "127.0.0.1", port: redis.port, reconnectStrategy: 50 } });
      node.on("error", () => {});
      await node.connect();
      await io.ping();
    });
    afterEach(async () => {
      await redis.stop();
      await redis.start();
      await vi.waitFor(() => expect([io.status, node.isReady]).toEqual(["ready", true]), 5_000);
    });
    afterAll(async () => {
      io.disconnect();
      node.destroy();
      await redis.stop();
    });

    const limiter = (options: Partial<RedisRateLimitOptions> = {}) =>
      redisRateLimit({ store: io, perSecond: 3, key: `test:${++keys}`, ...options });

    test("lets no more than the limit through in any second, over both kinds of client together", async () => {
      const key = `test:${++keys}`;
      const both = [limiter({ key }), limiter({ key, store: node })];

      const at = await Promise.all(Array.from({ length: 9 }, (_, i) => granted(both[i % 2] as RateLimiter)));

      const sorted = at.toSorted((a, b) => a - b);
      for (let i = 3; i < 9; i++) {
        expect((sorted[i] as number) - (sorted[i - 3] as number)).toBeGreaterThanOrEqual(1_000);
      }
      expect((sorted[8] as number) - (sorted[0] as number)).toBeLessThan(3_500);
    });

    test("keeps one key in Redis, by its name, which lapses by itself", async () => {
      await limiter({ key: "my-app:complycube" }).acquire();

      const before = await io.keys("*");
      const lifeMs = await io.pttl("my-app:complycube");

      expect(before).toEqual(["my-app:complycube"]);
      expect(lifeMs).toBeGreaterThan(0);
      expect(lifeMs).toBeLessThanOrEqual(3_600_000);
    });

    test("is first come, first served within a process", async () => {
      const limit = limiter({ perSecond: 1 });
      const order: number[] = [];
      await limit.acquire();

      await Promise.all([1, 2, 3].map((i) => limit.acquire().then(() => order.push(i))));

      expect(order).toEqual([1, 2, 3]);
    });

    test("is first come, first served from the first call on", async () => {
      const limit = limiter({ perSecond: 1_000 });
      const order: number[] = [];
      const calls = Array.from({ length: 20 }, (_, i) => i);

      await Promise.all(calls.map((i) => limit.acquire().then(() => order.push(i))));

      expect(order).toEqual(calls);
    });

    test("a thousand calls at once keep the pace, and are not taken for a Redis that is away", async () => {
      const onError = vi.fn();
      const limit = limiter({ perSecond: 10, onError });
      const caller = new AbortController();
      const at: number[] = [];
      const pass = () => void at.push(performance.now());
      for (let i = 0; i < 1_000; i++) limit.acquire(caller.signal).then(pass, () => {});

      await delay(5_400); // Six seconds begin; the machine may be busy.
      caller.abort();

      expect(onError).not.toHaveBeenCalled();
      expect(at.length).toBeGreaterThanOrEqual(40);
    });

    test("a memory that is lost holds back those too who have sent nothing for long", async () => {
      const key = `test:${++keys}`;
      const idle = limiter({ key });
      await idle.acquire();
      await delay(1_100);
      const busy = limiter({ key });
      await Promise.all([1, 2, 3].map(() => busy.acquire()));
      const sentAt = performance.now();
      await io.del(key);

      const at = await granted(idle);

      expect(at - sentAt).toBeGreaterThanOrEqual(990);
    });

    test("an abort leaves the queue at once, in Redis too", async () => {
      const limit = limiter({ perSecond: 1, maxQueue: 1 });
      await limit.acquire();
      const caller = new AbortController();
      const waiting = limit.acquire(caller.signal);
      const line = async () => JSON.parse((await io.get(`test:${keys}`)) as string).line.length;
      await vi.waitFor(async () => expect(await line()).toBe(1));

      caller.abort("now");

      await expect(waiting).rejects.toBe("now");
      await expect(limit.acquire(AbortSignal.abort("before"))).rejects.toBe("before");
      await vi.waitFor(async () => expect(await line()).toBeUndefined(), 300); // An empty list of Lua is {}.
    });

    test("one call more than may wait fails with RateLimitQueueFullError", async () => {
      const limit = limiter({ perSecond: 1, maxQueue: 1 });
      await limit.acquire();
      const waiting = limit.acquire();

      await expect(limit.acquire()).rejects.toMatchObject({ name: "RateLimitQueueFullError", maxQueue: 1 });
      await waiting;
    });

    test("a call that has vanished while it waited takes no room in the queue", async () => {
      const limit = limiter({ perSecond: 1, maxQueue: 1 });
      await limit.acquire();
      const { setTimeout } = globalThis;
      // As when a runtime cancels the request of a call that waits: its timer never fires.
      globalThis.setTimeout = ((...[listener, ms, ...args]: Parameters<typeof setTimeout>) =>
        ms === 250 ? 0 : setTimeout(listener, ms, ...args)) as typeof setTimeout;
      onTestFinished(() => {
        globalThis.setTimeout = setTimeout;
      });
      void limit.acquire();
      await delay(100);
      globalThis.setTimeout = setTimeout;
      await expect(limit.acquire()).rejects.toThrow("1 calls already wait");
      await delay(1_500);
      await limit.acquire();

      await expect(limit.acquire()).resolves.toBeUndefined();
    });

    test("penalize holds everyone in the process back", async () => {
      const limit = limiter();
      const startedAt = performance.now();
      limit.penalize?.(300);

      const at = await granted(limit);

      expect(at - startedAt).toBeGreaterThanOrEqual(299);
    });

    test("falls back to its own share while Redis is away, says so once, and returns", {
      timeout: 20_000,
    }, async () => {
      const onError = vi.fn(() => {
        throw new Error("ignored");
      });
      const limit = limiter({ onError, fallbackPerSecond: 2 });
      await limit.acquire();
      await redis.stop();

      const away = await Promise.all([1, 2, 3].map(() => granted(limit)));
      const calls = onError.mock.calls.length;
      await redis.start();
      await vi.waitFor(() => expect(io.status).toBe("ready"), 5_000);
      await limit.acquire(); // By itself, or after the pause of the return.
      await limit.acquire();
      await delay(4_500); // Whatever was pending has lapsed, and Redis was asked again.
      await Promise.all([limit.acquire(), limit.acquire(), limit.acquire()]);
      const inRedis = JSON.parse((await io.get(`test:${keys}`)) as string).sent.length;

      expect((away[2] as number) - (away[0] as number)).toBeGreaterThanOrEqual(1_000);
      expect(calls).toBe(1);
      expect(inRedis).toBe(3);
    });

    test("fallbackPerSecond: false fails the calls with Redis's error, and works again after", async () => {
      const onError = vi.fn();
      const limit = limiter({ onError, fallbackPerSecond: false });
      await redis.stop();

      await expect(limit.acquire()).rejects.toThrow();
      await expect(limit.acquire()).rejects.toThrow();
      await redis.start();
      await vi.waitFor(() => expect(io.status).toBe("ready"), 5_000);

      await vi.waitFor(() => limit.acquire(), 5_000); // Redis is asked again once a second.
      expect(onError).toHaveBeenCalledOnce();
    });

    test("takes a Redis that hangs for one that is away", async () => {
      const onError = vi.fn();
      const limit = limiter({ store: hanging(io), onError });

      await limit.acquire();

      expect(String(onError.mock.calls[0]?.[0])).toContain("Redis did not answer within 500 ms.");
    });

    test.each([
      ["of the fleet", false],
      ["of the process while Redis is away", true],
    ])("a request that left 300 ms late holds its place %s for as much longer", async (_, isAway) => {
      const store = isAway ? hanging(io) : io;
      const limit = limiter({ store, perSecond: 1, fallbackPerSecond: 1, onError: () => {} });
      const first = await granted(limit);
      limit.sent?.(first, 300);

      const second = await granted(limit);

      expect(second - first).toBeGreaterThanOrEqual(1_290);
      expect(second - first).toBeLessThan(1_900);
    });

    test("a request that left after its place had lapsed counts from when it left", async () => {
      const limit = limiter({ perSecond: 1 });
      const first = await granted(limit);
      await delay(1_200);
      limit.sent?.(first, 1_200);

      const second = await granted(limit);

      expect(second - first).toBeGreaterThanOrEqual(2_190);
      expect(second - first).toBeLessThan(2_900);
    });

    test("a request that never left does not take what is told of one that left while Redis is away", async () => {
      let hangs = false;
      const store = hanging(io, () => hangs);
      const limit = limiter({ store, perSecond: 5, fallbackPerSecond: 1, onError: () => {} });
      await limit.acquire();
      hangs = true;
      const first = await granted(limit);
      limit.sent?.(first, 300);

      const second = await granted(limit);

      expect(second - first).toBeGreaterThanOrEqual(1_290);
    });

    test("a place whose answer comes 400 ms late is not used: another is taken", async () => {
      await limiter().acquire(); // From here on Redis knows the script.
      const key = `test:${++keys}`;
      const first = granted(limiter({ key, perSecond: 1, store: answeringLateOnce(io, 400) }));
      await vi.waitFor(async () => expect(await io.exists(key)).toBe(1));
      const second = granted(limiter({ key, perSecond: 1 }));

      expect(Math.abs((await second) - (await first))).toBeGreaterThanOrEqual(1_000);
    });

    test.each(["before", "after"])(
      "an app's own limiter of rate-limiter-flexible on the same client, used %s, keeps its count",
      async (when) => {
        const logins = new RateLimiterRedis({
          storeClient: io,
          points: 3,
          duration: 60,
          keyPrefix: `l${++keys}`,
        });
        const login = () =>
          logins
            .consume("ada")
            .then(() => true)
            .catch(() => false);
        const limit = limiter();

        const first = when === "before" ? [await login()] : [];
        await limit.acquire();
        for (let i = first.length; i < 6; i++) first.push(await login());
        const at = await Promise.all([1, 2, 3].map(() => granted(limit)));

        expect(first).toEqual([true, true, true, false, false, false]);
        expect((at[2] as number) - (at[1] as number)).toBeGreaterThan(900);
      },
    );

    test("leaves nothing on the client", async () => {
      const own = Object.getOwnPropertyNames(io);
      const listeners = io.eventNames().map((name) => [name, io.listenerCount(name)]);

      await limiter().acquire();

      expect(Object.getOwnPropertyNames(io)).toEqual(own);
      expect(io.eventNames().map((name) => [name, io.listenerCount(name)])).toEqual(listeners);
    });

    test("a clock of Redis that is set back holds nobody for long, and lets nobody through", async () => {
      const limit = limiter({ perSecond: 2 });
      await Promise.all([limit.acquire(), limit.acquire()]);
      const memory = JSON.parse((await io.get(`test:${keys}`)) as string);
      const hour = 3_600_000;
      const sent = memory.sent.map(([ticket, until]: [number, number]) => [ticket, until + hour]);
      await io.set(
        `test:${keys}`,
        JSON.stringify({ ...memory, real: memory.real + hour, sent }),
        "PX",
        10_000,
      );

      const startedAt = performance.now();
      const at = await granted(limit);

      expect(at - startedAt).toBeGreaterThan(900);
      expect(at - startedAt).toBeLessThan(1_600);
    });
  },
);

/** A client whose server takes commands and never answers, as long as it hangs. */
function hanging(client: Redis, hangs = () => true): Redis {
  return new Proxy(client, {
    get: (target, name) =>
      hangs() && (name === "evalsha" || name === "eval")
        ? () => new Promise(() => {})
        : Reflect.get(target, name),
  });
}

/** A client whose first answer from the script takes a detour. */
function answeringLateOnce(client: Redis, ms: number): Redis {
  let lateMs = ms;
  const evalsha = async (...args: Parameters<Redis["evalsha"]>) => {
    const answer = await client.evalsha(...args);
    const waitMs = lateMs;
    lateMs = 0;
    if (waitMs > 0) await delay(waitMs);
    return answer;
  };
  return new Proxy(client, {
    get: (target, name) => (name === "evalsha" ? evalsha : Reflect.get(target, name)),
  });
}

async function granted(limit: RateLimiter): Promise<number> {
  await limit.acquire();
  return performance.now();
}
