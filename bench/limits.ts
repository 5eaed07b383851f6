// Prints how a batch fares at the API's limit: this package and the official client, one process and a fleet.
// Usage: npm run bench:limits
import { setTimeout as delay } from "node:timers/promises";
import { ComplyCube } from "../src/index.ts";
import { type Member, startFleet } from "../test/support/fleet.ts";
import { type LimitServer, startLimitServer } from "../test/support/limit-server.ts";
import { officialBatch } from "../test/support/official-batch.ts";
import { hasRedis, startRedis } from "../test/support/redis-server.ts";
import { startSlowConnections } from "../test/support/slow-connections.ts";

const PER_SECOND = 10;
const TOKENS = 200;
/** The first ten leave at once, and every second ten more. */
const IDEAL_MS = (TOKENS / PER_SECOND - 1) * 1_000;

interface Figures {
  minted: number;
  failed: number;
}

const line = (...cells: unknown[]) => console.log(`| ${cells.join(" | ")} |`);

async function measure(
  name: string,
  idealMs: number | undefined,
  run: (server: LimitServer) => Promise<Figures>,
  answerMs = 0,
) {
  const server = await startLimitServer(PER_SECOND, idealMs === undefined ? 1 : undefined, answerMs);
  const { minted, failed } = await run(server);
  const tookMs = server.tookMs();
  const over = idealMs === undefined ? "" : `+${((tookMs / idealMs - 1) * 100).toFixed(1)} %`;
  const seconds = `${(tookMs / 1_000).toFixed(1)} s`;
  line(
    name,
    minted,
    failed,
    server.refused(),
    server.busiestSecond(),
    seconds,
    idealMs && failed > 0 ? "" : over,
  );
  await server.close();
}

function sum(members: Member[]): Figures {
  return {
    minted: members.flatMap(({ minted }) => minted).length,
    failed: members.flatMap(({ failed }) => failed).length,
  };
}

async function batch(baseUrl: string, apiKey: string): Promise<Figures> {
  const complycube = new ComplyCube({ apiKey, baseUrl });
  const rows = Array.from({ length: TOKENS }, (_, i) => ({ clientId: `C${i}`, appId: "com.example.app" }));
  const figures = { minted: 0, failed: 0 };
  for await (const { token } of complycube.token.generateMany(rows)) {
    if (token === undefined) figures.failed++;
    else figures.minted++;
  }
  return figures;
}

line("", "tokens", "failed", "429s", "busiest second", "time", "over the ideal");
line("---", "---", "---", "---", "---", "---", "---");

await measure("one process", IDEAL_MS, ({ url }) => batch(url, "live_KEY_OF_A_BENCH"));

// The guards, and what happens here without each of them (measured on 2026-11-25):
// - `Lateness`, for requests whose connections have to be opened: 11 429s in the row of one process with slow
//   connections, 5 in the row of ten processes.
// - `GUARD_MS`, for requests of which one travels faster than another: 1 429 in each third run of the row "up to 20 ms
//   more", 4 in the row of a fleet with slow connections.
// - `RETURN_HOLD_MS`, for processes that come back to Redis one after the other: none in the row of the outage, which has
//   few calls; over the limit where all are busy (test/limits/chaos.test.ts).
const slowRow = (name: string, openMs: number, jitterMs: number) =>
  measure(name, IDEAL_MS, async ({ url }) => {
    const slow = await startSlowConnections(url, openMs, jitterMs);
    const figures = await batch(slow.url, `live_KEY_${openMs}_${jitterMs}`);
    slow.close();
    return figures;
  });

await slowRow("one process, each request takes up to 20 ms more", 0, 20);
await slowRow("one process, connections take 300 ms to open", 300, 0);

await measure(
  "one process, the API takes 100 to 500 ms to answer",
  IDEAL_MS,
  ({ url }) => batch(url, "live_KEY_OF_A_SLOW_API"),
  400,
);

await measure("@complycube/api, one process", IDEAL_MS, ({ url }) => officialBatch(url, TOKENS));

if (!hasRedis) {
  console.error("SKIPPED the fleets: redis-server is not installed.");
  process.exit(1);
}
const redis = await startRedis();
const fleet = { redisPort: redis.port, perSecond: PER_SECOND };

for (const processes of [4, 10]) {
  await measure(`${processes} processes on Redis`, IDEAL_MS, async ({ url }) => {
    const members = await startFleet({ ...fleet, processes, each: TOKENS / processes, baseUrl: url });
    await Promise.all(members.map(({ exited }) => exited));
    return sum(members);
  });
}

await measure("4 processes on Redis, connections take 150 ms to open", undefined, async ({ url }) => {
  const slow = await startSlowConnections(url, 150);
  const members = await startFleet({ ...fleet, processes: 4, each: TOKENS / 4, baseUrl: slow.url });
  await Promise.all(members.map(({ exited }) => exited));
  slow.close();
  return sum(members);
});

await measure("4 processes, one killed, Redis away for 3 s", undefined, async ({ url }) => {
  const members = await startFleet({ ...fleet, processes: 4, each: TOKENS / 4, baseUrl: url });
  await delay(3_000);
  members[0]?.kill();
  await delay(1_000);
  await redis.stop();
  await delay(3_000);
  await redis.start();
  await Promise.all(members.map(({ exited }) => exited));
  return sum(members);
});

await redis.stop();
