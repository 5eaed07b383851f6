import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Cluster, Redis } from "ioredis";
import { createClient, createClientPool, createCluster, createSentinel } from "redis";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { RateLimiter } from "../../src/index.ts";
import { type RedisRateLimitOptions, redisRateLimit } from "../../src/redis/index.ts";
import { freePort } from "../support/free-port.ts";
import { busiestSecond } from "../support/limit-server.ts";
import { hasRedis, type RedisServer, startRedis } from "../support/redis-server.ts";

const PER_SECOND = 10;
/** Four of them stay below the limit. */
const FALLBACK_PER_SECOND = 2;
const PROCESSES = 4;

type Store = RedisRateLimitOptions["store"];

/** What ends the servers and the clients of all tests, the last one first. Tests that run together cannot end their own. */
const ends: (() => unknown)[] = [];
const atEnd = (end: () => unknown) => void ends.unshift(end);

afterAll(async () => {
  for (const end of ends) await end();
});

// They wait, each with a server of its own.
describe.skipIf(!hasRedis)(
  hasRedis ? "a fleet's limit" : "a fleet's limit (SKIPPED: redis-server is not installed)",
  { concurrent: true },
  () => {
    test.each<[string, (redis: RedisServer, admin: Redis) => unknown, goesAway: boolean]>([
      ["is restarted", (redis) => redis.stop().then(redis.start), false],
      ["forgets its scripts", (_, admin) => admin.script("FLUSH"), false],
      ["forgets everything", (_, admin) => admin.flushall(), false],
      ["answers 400 ms late once", (_, admin) => admin.client("PAUSE", 400), false],
      ["hangs for 3 s", (_, admin) => admin.client("PAUSE", 3_000), true],
      ["is stopped in its tracks for 3 s", (redis) => freeze(redis, 3_000), true],
      ["is a replica for 3 s", (_, admin) => replica(admin, 3_000), true],
      ["is away for 3 s", (redis) => redis.stop().then(() => delay(3_000).then(redis.start)), true],
    ])("is never passed while Redis %s, and the pace comes back", async (_, chaos, goesAway) => {
      const redis = await started();
      const away: unknown[] = [];
      const limits = Array.from({ length: PROCESSES }, () =>
        redisRateLimit({
          store: ioredis(redis),
          perSecond: PER_SECOND,
          fallbackPerSecond: FALLBACK_PER_SECOND,
          onError: (error) => away.push(error),
        }),
      );
      const admin = ioredis(redis);

      const working = work(limits, goesAway ? 12_000 : 7_000);
      await delay(2_500);
      await chaos(redis, admin);
      const { at, errors } = await working;

      expect(errors).toEqual([]);
      expect(busiestSecond(at)).toBeLessThanOrEqual(PER_SECOND);
      const lastThreeSeconds = at.filter((time) => time > (at.at(-1) as number) - 3_000).length;
      expect(lastThreeSeconds).toBeGreaterThanOrEqual(2 * PER_SECOND);
      expect(away).toHaveLength(goesAway ? PROCESSES : 0);
    });

    test.each<[string, (redis: RedisServer) => Store | Promise<Store>]>([
      ["a fresh client of ioredis", (redis) => ioredis(redis)],
      ["a lazy one", (redis) => ioredis(redis, { lazyConnect: true })],
      ["one without a queue of its own", (redis) => ioredis(redis, { enableOfflineQueue: false })],
      ["one with a key prefix", (redis) => ioredis(redis, { keyPrefix: "app:" })],
      ["one with numbers as strings", (redis) => ioredis(redis, { stringNumbers: true })],
      ["a client of redis that nobody has connected", (redis) => nodeRedis(redis)],
      ["one that speaks RESP3", (redis) => nodeRedis(redis, 3)],
      ["a pool of redis", pool],
      ["Sentinel of ioredis", ioredisSentinel],
      ["Sentinel of redis", nodeRedisSentinel],
    ])("%s is used from the first call on", async (_, make) => {
      const redis = await started();
      const away: unknown[] = [];
      const store = await make(redis);
      const limit = redisRateLimit({
        store,
        perSecond: 3,
        fallbackPerSecond: 100,
        onError: (error) => away.push(error),
      });

      const { at } = await work([limit], 1_100);

      expect(away).toEqual([]);
      expect(busiestSecond(at)).toBe(3);
    });

    test("a Redis that starts late, within the time it has to answer, is waited for", async () => {
      const redis = await started();
      const door = createServer((socket) => void socket.pipe(connect(redis.port, "127.0.0.1")).pipe(socket));
      await once(door.listen(0, "127.0.0.1"), "listening");
      const { port } = door.address() as AddressInfo;
      await once(door.close(), "close");
      atEnd(() => void door.close());
      const away: unknown[] = [];
      const store = ioredis({ ...redis, port });
      const limit = redisRateLimit({
        store,
        perSecond: 3,
        fallbackPerSecond: 100,
        onError: (error) => away.push(error),
      });

      const first = limit.acquire();
      await delay(100);
      door.listen(port, "127.0.0.1"); // A process would take too long to start where the machine is busy.
      await first;

      expect(away).toEqual([]);
    });

    test.each<[string, RegExp, (redis: RedisServer, admin: Redis) => Promise<Store>]>([
      [
        "an ACL that forbids the script",
        /NOPERM/,
        async (redis, admin) => {
          await admin.call("ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all", "-eval", "-evalsha");
          return ioredis(redis, { username: "app", password: "secret" });
        },
      ],
      [
        "a key of another type",
        /WRONGTYPE/,
        async (redis, admin) => {
          await admin.rpush("complycube-tokens:rate-limit", "mine");
          return ioredis(redis);
        },
      ],
      [
        "a replica, which cannot be written to",
        /READONLY|NOREPLICAS|MASTERDOWN/,
        async (redis, admin) => {
          await admin.replicaof("127.0.0.1", "1");
          return ioredis(redis);
        },
      ],
    ])("%s is told once, and each process keeps to its share", async (_, message, make) => {
      const redis = await started();
      const away: unknown[] = [];
      const store = await make(redis, ioredis(redis));
      const limit = redisRateLimit({
        store,
        perSecond: 10,
        fallbackPerSecond: 5,
        onError: (error) => away.push(error),
      });

      const { at, errors } = await work([limit], 6_300);

      expect(errors).toEqual([]);
      expect(away).toHaveLength(1);
      expect(String(away[0])).toMatch(message);
      expect(busiestSecond(at)).toBe(5);
      // From a second after Redis went away: 5 of each second, within 5 %.
      const tookMs = (at.at(25) as number) - (at[0] as number);
      expect(tookMs).toBeGreaterThanOrEqual(5_000);
      expect(tookMs).toBeLessThan(5_000 * 1.05);
    });

    test("without onError, Redis going away is one warning on the console", {
      concurrent: false,
    }, async () => {
      const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
      const redis = await started();
      const store = ioredis(redis);
      await store.ping();
      await redis.stop();
      const limit = redisRateLimit({ store, perSecond: 10, fallbackPerSecond: 100 });

      await Promise.all([limit.acquire(), limit.acquire(), limit.acquire()]);
      const warnings = [...warn.mock.calls];
      warn.mockRestore();

      expect(warnings).toHaveLength(1);
      expect(warnings[0]?.[0]).toContain("complycube-tokens/redis: Redis is away");
    });

    test("a process that was idle since an outage uses no share beside a fleet that is back", async () => {
      const redis = await started();
      const [busy, idle] = [1, 2].map(() =>
        redisRateLimit({ store: ioredis(redis), perSecond: 5, fallbackPerSecond: 5, onError: () => {} }),
      ) as [RateLimiter, RateLimiter];
      await idle.acquire();
      await freeze(redis, 1_500, () => idle.acquire());
      await delay(3_000);

      const working = work([busy], 6_000);
      await delay(4_000);
      const at = await work([idle], 500);
      const sent = [...(await working).at, ...at.at].toSorted((a, b) => a - b);

      expect(busiestSecond(sent)).toBe(5);
    });

    test("with fallbackPerSecond: false, all that wait fail together, and later ones at once", async () => {
      const redis = await started();
      const limit = redisRateLimit({
        store: ioredis(redis),
        perSecond: 2,
        fallbackPerSecond: false,
        onError: () => {},
      });
      await Promise.all([limit.acquire(), limit.acquire()]);
      const failedAt: number[] = [];
      const ask = () => limit.acquire().catch(() => failedAt.push(performance.now()));
      const asked = Array.from({ length: 100 }, ask);
      await delay(200); // They wait by now, and the last one for 50 seconds.
      redis.freeze();
      asked.push(...Array.from({ length: 900 }, ask));

      await Promise.all(asked);
      const startedAt = performance.now();
      const later = await limit.acquire().catch(String);
      const laterMs = performance.now() - startedAt;
      redis.thaw();

      expect(failedAt).toHaveLength(1_000);
      expect(Math.max(...failedAt) - Math.min(...failedAt)).toBeLessThan(1_000);
      expect(later).toContain("Redis did not answer within 500 ms.");
      expect(laterMs).toBeLessThan(50);
    });

    test("a hold that one process is told of holds those who wait in another", async () => {
      const redis = await started();
      const [one, other] = [1, 2].map(() => redisRateLimit({ store: ioredis(redis), perSecond: 1 })) as [
        RateLimiter,
        RateLimiter,
      ];
      await one.acquire();
      const waiting = other.acquire().then(() => performance.now());
      await delay(300);
      const heldAt = performance.now();
      one.penalize?.(3_000);

      expect((await waiting) - heldAt).toBeGreaterThanOrEqual(2_990);
    });

    test("a Redis that has forgotten the places of the last second gives none before it is over", async () => {
      const redis = await started();
      const store = ioredis(redis);
      const limit = redisRateLimit({ store, perSecond: 3 });
      await Promise.all([limit.acquire(), limit.acquire(), limit.acquire()]);
      const startedAt = performance.now();
      await store.flushall();

      await limit.acquire();

      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
    });

    test("an abort gives the place to those behind, in order", async () => {
      const redis = await started();
      const limit = redisRateLimit({ store: ioredis(redis), perSecond: 1 });
      await limit.acquire();
      const startedAt = performance.now();
      const sinceStart = () => performance.now() - startedAt;
      const leaving = new AbortController();
      const left = limit.acquire(leaving.signal);
      const staying = limit.acquire().then(sinceStart);
      await delay(100);
      leaving.abort("now");
      await expect(left).rejects.toBe("now");
      await delay(100);

      const later = await limit.acquire().then(sinceStart);

      expect(await staying).toBeLessThan(1_600);
      expect(later).toBeLessThan(2_700);
    });

    test.each(["aborted", "killed"])(
      "a crowd of waiting calls that is %s holds up those behind by no more than its own places",
      async (how) => {
        const redis = await started();
        const [crowd, other] = [1, 2].map(() => ioredis(redis)) as [Redis, Redis];
        const caller = new AbortController();
        const leaving = redisRateLimit({ store: crowd, perSecond: 5, onError: () => {} });
        for (let i = 0; i < 40; i++) leaving.acquire(caller.signal).catch(() => {});
        await vi.waitFor(async () => expect(await other.exists("complycube-tokens:rate-limit")).toBe(1));
        const staying = redisRateLimit({ store: other, perSecond: 5 });
        const startedAt = performance.now();
        const behind = Promise.all([1, 2, 3].map(() => staying.acquire()));
        await delay(100);

        if (how === "killed") crowd.disconnect();
        else caller.abort();
        await behind;

        expect(performance.now() - startedAt).toBeLessThan(7_500); // 40 places in front of it are 8 seconds.
      },
    );

    test("a place whose answer comes too late is given back", async () => {
      const redis = await started();
      const slow = ioredis(redis);
      const limit = redisRateLimit({
        store: slow,
        perSecond: 1,
        fallbackPerSecond: false,
        onError: () => {},
      });
      await slow.ping();
      await ioredis(redis).client("PAUSE", 700);

      await expect(limit.acquire()).rejects.toThrow("Redis did not answer within 500 ms.");
      await delay(500);
      const memory = JSON.parse((await slow.get("complycube-tokens:rate-limit")) as string);

      expect([memory.sent, memory.line]).toEqual([{}, {}]);
    });

    test("maxQueue: 0 lets everyone through who has room, and refuses the rest", async () => {
      const redis = await started();
      const limit = redisRateLimit({ store: ioredis(redis), perSecond: 3, maxQueue: 0 });

      const asked = await Promise.allSettled([1, 2, 3, 4, 5].map(() => limit.acquire()));

      expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    });

    test("holds on a Cluster of three", async () => {
      const busPorts = [await freePort(), await freePort(), await freePort()];
      const nodes = await Promise.all(
        busPorts.map((busPort, i) =>
          started(
            "--cluster-enabled",
            "yes",
            "--cluster-port", // By default 10,000 above the port, where another may listen.
            String(busPort),
            "--cluster-config-file",
            join(tmpdir(), `nodes-${process.pid}-${i}.conf`),
          ),
        ),
      );
      const [first, ...others] = nodes as [RedisServer, ...RedisServer[]];
      const slots = [0, 5_461, 10_923, 16_384];
      for (const [i, node] of nodes.entries()) {
        const admin = ioredis(node);
        await admin.call("CLUSTER", "RESET");
        await admin.call("CLUSTER", "ADDSLOTSRANGE", slots[i] as number, (slots[i + 1] as number) - 1);
      }
      for (const [i, { port }] of others.entries()) {
        await ioredis(first).call("CLUSTER", "MEET", "127.0.0.1", port, busPorts[i + 1] as number);
      }
      for (const node of nodes) {
        await vi.waitFor(
          async () => expect(await ioredis(node).call("CLUSTER", "INFO")).toContain("cluster_state:ok"),
          { timeout: 20_000, interval: 250 },
        );
      }
      const away: unknown[] = [];
      const clusters = [ioredisCluster, nodeRedisCluster, ioredisCluster, nodeRedisCluster];
      const limits = clusters.map((make) =>
        redisRateLimit({ store: make(first), perSecond: PER_SECOND, onError: (error) => away.push(error) }),
      );

      const { at, errors } = await work(limits, 3_000);

      expect(errors).toEqual([]);
      expect(away).toEqual([]);
      expect(busiestSecond(at)).toBe(PER_SECOND);
    });
  },
);

async function started(...settings: string[]): Promise<RedisServer> {
  const redis = await startRedis(...settings);
  atEnd(() => {
    redis.thaw();
    return redis.stop();
  });
  return redis;
}

function ioredis({ port }: RedisServer, options: object = {}): Redis {
  const client = new Redis(port, "127.0.0.1", { retryStrategy: () => 50, ...options });
  client.on("error", () => {});
  atEnd(() => client.disconnect());
  return client;
}

function nodeRedis({ port }: RedisServer, RESP: 2 | 3 = 2) {
  const client = createClient({ socket: { host: "127.0.0.1", port, reconnectStrategy: 50 }, RESP });
  client.on("error", () => {});
  atEnd(() => client.destroy());
  return client;
}

function pool({ port }: RedisServer) {
  const client = createClientPool({ socket: { host: "127.0.0.1", port } });
  client.on("error", () => {});
  atEnd(() => client.destroy());
  return client;
}

function ioredisCluster({ port }: RedisServer): Cluster {
  const client = new Cluster([{ host: "127.0.0.1", port }]);
  atEnd(() => client.disconnect());
  return client;
}

function nodeRedisCluster({ port }: RedisServer) {
  const client = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] });
  client.on("error", () => {});
  atEnd(() => client.destroy());
  return client;
}

async function ioredisSentinel(redis: RedisServer): Promise<Redis> {
  const client = new Redis({ sentinels: [await sentinelOf(redis)], name: "main" });
  client.on("error", () => {});
  atEnd(() => client.disconnect());
  await client.ping();
  return client;
}

async function nodeRedisSentinel(redis: RedisServer) {
  const client = createSentinel({ sentinelRootNodes: [await sentinelOf(redis)], name: "main" });
  client.on("error", () => {});
  atEnd(() => client.destroy());
  await client.connect();
  return client;
}

/** Starts a Sentinel that watches this server under the name `main`. It needs a file, which it writes to. */
async function sentinelOf(redis: RedisServer): Promise<{ host: string; port: number }> {
  const file = join(tmpdir(), `sentinel-${process.pid}-${redis.port}.conf`);
  writeFileSync(file, `sentinel monitor main 127.0.0.1 ${redis.port} 1\n`);
  atEnd(() => rmSync(file));
  const { port } = await started(file, "--sentinel");
  return { host: "127.0.0.1", port };
}

async function replica(admin: Redis, ms: number): Promise<void> {
  await admin.replicaof("127.0.0.1", "1");
  await delay(ms);
  await admin.replicaof("NO", "ONE");
}

async function freeze(redis: RedisServer, ms: number, meanwhile?: () => Promise<void>): Promise<void> {
  redis.freeze();
  await Promise.all([delay(ms), meanwhile?.()]);
  redis.thaw();
}

/** Lets five callers of each limiter take one place after the other, and returns when, in order. */
async function work(limits: RateLimiter[], ms: number): Promise<{ at: number[]; errors: unknown[] }> {
  const at: number[] = [];
  const errors: unknown[] = [];
  const end = performance.now() + ms;
  const callers = limits.flatMap((limit) => [1, 2, 3, 4, 5].map(() => limit));
  await Promise.all(
    callers.map(async (limit) => {
      while (performance.now() < end) {
        await limit.acquire().then(
          () => at.push(performance.now()),
          (error: unknown) => errors.push(error),
        );
      }
    }),
  );
  return { at: at.sort((a, b) => a - b), errors };
}
