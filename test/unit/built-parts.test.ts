import { createRequire } from "node:module";
import { afterEach, describe, expect, test } from "vitest";
import { root } from "../../scripts/root.ts";
import { KEY } from "../support/leak-scan.ts";
import { listen } from "../support/listen.ts";

type Main = typeof import("../../src/index.ts");
type Redis = typeof import("../../src/redis/index.ts");
type Referrer = typeof import("../../src/referrer/index.ts");

/** A part of dist/, in one of its two formats. */
const load = async <Part>(format: string, part: string): Promise<Part> =>
  format === "esm"
    ? await import(`${root}dist/${part}.js`)
    : createRequire(import.meta.url)(`${root}dist/${part}.cjs`);

const TARGET = { appId: "com.myapp.demo.app" };
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** Asks a limit that has no queue twice, while its store does not answer. */
function fillQueue({ redisRateLimit }: Redis): Promise<unknown> {
  const never = () => new Promise(() => {});
  const store = { status: "ready", defineCommand() {}, eval: never, evalsha: never };
  const limit = redisRateLimit({ store: store as never, perSecond: 1, maxQueue: 0 });
  limit.acquire().catch(() => {});
  return limit.acquire().catch((error: unknown) => error);
}

describe("the parts that are built", () => {
  test.each(["esm", "cjs"])("in %s, an error is one class whichever part threw it", async (format) => {
    const main = await load<Main>(format, "index");
    const redis = await load<Redis>(format, "redis");
    const referrer = await load<Referrer>(format, "referrer");

    const queueFull = await fillQueue(redis);

    expect(queueFull).toBeInstanceOf(main.RateLimitQueueFullError);
    expect(queueFull).toBeInstanceOf(main.ComplyCubeError);
    expect(() => main.parseReferrerPattern("no pattern")).toThrow(referrer.ReferrerPatternError);
    expect(() => referrer.parseReferrerPattern("no pattern")).toThrow(main.ReferrerPatternError);
  });

  test.each([
    ["esm", "cjs"],
    ["cjs", "esm"],
  ])("a batch of an %s ComplyCube waits while the queue of an %s limit is full", async (main, part) => {
    const { ComplyCube } = await load<Main>(main, "index");
    const queueFull = await fillQueue(await load<Redis>(part, "redis"));
    let asked = 0;
    const rateLimit = {
      async acquire() {
        if (++asked === 1) throw queueFull;
      },
    };
    const fetch = async () => new Response('{"token":"TOKEN"}');
    const complycube = new ComplyCube({ apiKey: KEY, rateLimit, fetch });

    const results = [];
    for await (const result of complycube.token.generateMany([{ clientId: "CLIENT_ID", ...TARGET }])) {
      results.push(result.token);
    }

    expect(results).toEqual(["TOKEN"]);
  });

  test("an ES module and a CommonJS client with the same key keep one limit together", async () => {
    const arrivals: number[] = [];
    const { url, close } = await listen((_, response) => {
      arrivals.push(performance.now());
      response.end('{"token":"TOKEN"}');
    });
    closing.push(close);
    const clients = [await load<Main>("esm", "index"), await load<Main>("cjs", "index")].map(
      ({ ComplyCube }) => new ComplyCube({ apiKey: "test_OF_TWO_COPIES", baseUrl: url }),
    );

    const startedAt = performance.now();
    const calls = [0, 1, 2, 3, 4, 5].map((each) => clients[each % 2]?.token.generate("CLIENT_ID", TARGET));
    await Promise.all(calls);

    expect((arrivals[5] ?? 0) - startedAt).toBeGreaterThan(1_000); // Five a second with a test key.
  });
});
