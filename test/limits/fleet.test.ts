import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { startFleet } from "../support/fleet.ts";
import { startLimitServer } from "../support/limit-server.ts";
import { hasRedis, startRedis } from "../support/redis-server.ts";
import { startSlowConnections } from "../support/slow-connections.ts";
import { certificateFor } from "../support/tls-server.ts";

const { certificate, skipped } = certificateFor("a fleet whose connections take 150 ms to open");

describe.skipIf(!hasRedis)(hasRedis ? "a fleet" : "a fleet (SKIPPED: redis-server is not installed)", () => {
  test.for<[number, string, number, number]>([
    [4, "", 5, 0],
    [10, "", 5, 0],
    [4, ", whose connections take 150 ms to open,", 10, 150],
  ])(
    "of %i processes%s mints 200 tokens without one 429, within %i % of the ideal time",
    async ([processes, , overPercent, openMs], { expect, skip }) => {
      skip(skipped && openMs > 0);
      const trusted = openMs > 0 ? certificate : undefined;
      const server = await startLimitServer(10, { certificate: trusted });
      const redis = await startRedis();
      const slow = await startSlowConnections(server.url, openMs);

      const members = await startFleet({
        baseUrl: openMs > 0 ? slow.url : server.url,
        redisPort: redis.port,
        perSecond: 10,
        processes,
        each: 200 / processes,
        certificate: trusted,
      });
      await Promise.all(members.map(({ exited }) => exited));
      slow.close();
      await Promise.all([server.close(), redis.stop()]);

      expect(members.flatMap(({ minted }) => minted).length).toBe(200);
      expect(server.refused()).toBe(0);
      expect(server.busiestSecond()).toBeLessThanOrEqual(10);
      expect(server.tookMs()).toBeLessThan(190 * (100 + overPercent));
    },
  );

  test("loses nothing when a process is killed and Redis goes away and comes back", async ({ expect }) => {
    const server = await startLimitServer(10, { retryAfter: 1 });
    const redis = await startRedis();
    const members = await startFleet({
      baseUrl: server.url,
      redisPort: redis.port,
      perSecond: 10,
      processes: 4,
      each: 40,
    });
    const [victim, ...others] = members;

    await delay(3_000);
    victim?.kill();
    await delay(1_000);
    await redis.stop();
    const mintedBefore = server.minted.length;
    await delay(3_000);
    const mintedWhileAway = server.minted.length - mintedBefore;
    await redis.start();
    await Promise.all(members.map(({ exited }) => exited));
    await Promise.all([server.close(), redis.stop()]);

    expect(mintedWhileAway).toBeGreaterThanOrEqual(6); // Three shares of 2 a second, after a pause.
    expect(others.map(({ failed }) => failed)).toEqual([[], [], []]);
    expect(others.map(({ minted }) => new Set(minted).size)).toEqual([40, 40, 40]);
    for (const { away } of others) expect(away).toBeGreaterThanOrEqual(1);
    expect(server.refused()).toBe(0);
  });
});

test("redis-server is installed where this must not be skipped", () => {
  expect(hasRedis || process.env.CI === undefined).toBe(true);
});
