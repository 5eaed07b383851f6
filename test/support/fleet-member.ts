// One process of a fleet. It says "ready", starts when a line comes in, mints COUNT tokens under the limit kept in
// Redis, and prints one JSON line for each that settles and for each time that Redis goes away. With node-redis it sends
// through the global `fetch`, else through Node.js's own `http`.
// Usage: node test/support/fleet-member.ts BASE_URL REDIS_PORT PER_SECOND COUNT FIRST_ID [ioredis|redis]
import { once } from "node:events";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { ComplyCube } from "../../src/index.ts";
import { redisRateLimit } from "../../src/redis/index.ts";

const [baseUrl = "", port, perSecond, count, firstId, kind] = process.argv.slice(2);
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const store = kind === "redis" ? await nodeRedis() : ioredis();
const rateLimit = redisRateLimit({
  store,
  perSecond: Number(perSecond),
  fallbackPerSecond: 2,
  onError: () => say({ away: true }),
});
const fetch = kind === "redis" ? globalThis.fetch : undefined;
const complycube = new ComplyCube({ apiKey: "live_KEY_OF_A_FLEET", baseUrl, rateLimit, fetch });
const rows = Array.from({ length: Number(count) }, (_, i) => ({
  clientId: `CLIENT_${Number(firstId) + i}`,
  appId: "com.myapp.demo.app",
}));

say({ ready: true });
await once(process.stdin, "data");
for await (const { request, token, error } of complycube.token.generateMany(rows)) {
  say({ clientId: request.clientId, ok: token !== undefined, error: error && String(error) });
}
process.exit();

function ioredis(): Redis {
  const client = new Redis(Number(port), "127.0.0.1", { retryStrategy: () => 100 });
  client.on("error", () => {});
  return client;
}

async function nodeRedis() {
  const client = createClient({ socket: { host: "127.0.0.1", port: Number(port), reconnectStrategy: 100 } });
  client.on("error", () => {});
  await client.connect();
  return client;
}
