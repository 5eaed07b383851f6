// Prints how a batch fares at the API's limit: this package and the official client, one process and a fleet.
// Usage: npm run bench:limits
import { setTimeout as delay } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { ComplyCube, type Fetch } from "../src/index.ts";
import { type Member, startFleet } from "../test/support/fleet.ts";
import { type LimitServer, type LimitServerOptions, startLimitServer } from "../test/support/limit-server.ts";
import { officialBatch } from "../test/support/official-batch.ts";
import { hasRedis, startRedis } from "../test/support/redis-server.ts";
import { startSlowConnections } from "../test/support/slow-connections.ts";
import { makeCertificate } from "../test/support/tls-server.ts";

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
  options: LimitServerOptions = {},
) {
  const server = await startLimitServer(PER_SECOND, options);
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

async function batch(baseUrl: string, fetch?: Fetch): Promise<Figures> {
  const apiKey = `live_KEY_OF_BATCH_${batches++}`; // Its own limit.
  const complycube = new ComplyCube({ apiKey, baseUrl, fetch });
  const rows = Array.from({ length: TOKENS }, (_, i) => ({ clientId: `C${i}`, appId: "com.example.app" }));
  const figures = { minted: 0, failed: 0 };
  for await (const { token } of complycube.token.generateMany(rows)) {
    if (token === undefined) figures.failed++;
    else figures.minted++;
  }
  return figures;
}

let batches = 0;
const certificate = makeCertificate();
if (certificate === undefined) throw new Error("openssl is not installed.");
setDefaultCACertificates([...getCACertificates("default"), certificate]);

line("", "tokens", "failed", "429s", "busiest second", "time", "over the ideal");
line("---", "---", "---", "---", "---", "---", "---");

await measure("one process", IDEAL_MS, ({ url }) => batch(url));

// The guards, and what happened here without each of them (2026-11-30):
// - `latenessTo` and Node.js's own "finish", for requests whose connections have to be opened: 10 429s in the row of one
//   process whose connections take 300 ms, 19 in that of a fleet, 3 in that of ten processes.
// - `GUARD_MS`, for requests of which one travels faster than another: 16 429s in the row of one process, 17 where each
//   request takes up to 20 ms more, 2 in that of a fleet with slow connections.
// - Half of it, from which Redis is told that a request left late: 1 and 6 429s in two of three runs of ten processes.
// - `RETURN_HOLD_MS`, for processes that come back to Redis one after the other: none in the row of the outage, which has
//   few calls; over the limit where all are busy (test/limits/chaos.test.ts).
const slowRow = (
  name: string,
  openMs: number,
  jitterMs: number,
  options: LimitServerOptions,
  fetch?: Fetch,
) =>
  measure(
    name,
    IDEAL_MS,
    async ({ url }) => {
      const slow = await startSlowConnections(url, openMs, jitterMs);
      const figures = await batch(slow.url, fetch);
      slow.close();
      return figures;
    },
    options,
  );

await slowRow("one process, each request takes up to 20 ms more", 0, 20, {});
for (const [over, fetch] of [
  ["", undefined],
  [", over fetch", globalThis.fetch],
] as const) {
  await slowRow(`one process${over}, connections take 300 ms to open`, 300, 0, { certificate }, fetch);
  const slowApi = `one process${over}, the API takes 100 to 500 ms to answer`;
  await measure(slowApi, IDEAL_MS, ({ url }) => batch(url, fetch), { answerMs: 400 });
}

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

await measure(
  "4 processes on Redis, connections take 150 ms to open",
  IDEAL_MS,
  async ({ url }) => {
    const slow = await startSlowConnections(url, 150);
    const processes = { ...fleet, processes: 4, each: TOKENS / 4, baseUrl: slow.url, certificate };
    const members = await startFleet(processes);
    await Promise.all(members.map(({ exited }) => exited));
    slow.close();
    return sum(members);
  },
  { certificate },
);

await measure(
  "4 processes, one killed, Redis away for 3 s",
  undefined,
  async ({ url }) => {
    const members = await startFleet({ ...fleet, processes: 4, each: TOKENS / 4, baseUrl: url });
    await delay(3_000);
    members[0]?.kill();
    await delay(1_000);
    await redis.stop();
    await delay(3_000);
    await redis.start();
    await Promise.all(members.map(({ exited }) => exited));
    return sum(members);
  },
  { retryAfter: 1 },
);

await redis.stop();
