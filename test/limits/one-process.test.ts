import { setTimeout as delay } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { describe, test } from "vitest";
import { ComplyCube, type Fetch } from "../../src/index.ts";
import { startLimitServer } from "../support/limit-server.ts";
import { officialBatch } from "../support/official-batch.ts";
import { startSlowConnections } from "../support/slow-connections.ts";
import { certificateFor } from "../support/tls-server.ts";

const appId = "com.myapp.demo.app";
const { certificate, skipped } = certificateFor("connections that take 300 ms to open");
if (certificate !== "") setDefaultCACertificates([...getCACertificates("default"), certificate]);
const TRANSPORTS: [string, Fetch | undefined][] = [
  ["http", undefined],
  ["fetch", fetch],
];

describe.concurrent("one process", () => {
  test("mints 200 tokens at 10 a second without one 429, within 5 % of the ideal time", async ({
    expect,
  }) => {
    const server = await startLimitServer(10);
    const complycube = new ComplyCube({ apiKey: "live_KEY_OF_ONE_PROCESS", baseUrl: server.url });
    const rows = Array.from({ length: 200 }, (_, i) => ({ clientId: `CLIENT_${i}`, appId }));
    let minted = 0;

    for await (const { token } of complycube.token.generateMany(rows)) if (token !== undefined) minted++;
    await server.close();

    expect(minted).toBe(200);
    expect(server.refused()).toBe(0);
    expect(server.busiestSecond()).toBeLessThanOrEqual(10);
    expect(server.tookMs()).toBeGreaterThanOrEqual(19_000);
    expect(server.tookMs()).toBeLessThan(19_000 * 1.05);
  });

  test.for(TRANSPORTS)(
    "stays under the limit over %s where a connection takes 300 ms to open, at the start and after a pause",
    async ([name, fetch], { expect, skip }) => {
      skip(skipped);
      const server = await startLimitServer(5, { certificate });
      const slow = await startSlowConnections(server.url, 300);
      const complycube = new ComplyCube({ apiKey: `test_KEY_FAR_AWAY_${name}`, baseUrl: slow.url, fetch });
      const mint = (count: number) =>
        Promise.all(Array.from({ length: count }, () => complycube.token.generate("CLIENT_ID", { appId })));

      await mint(1);
      await mint(20); // One connection is open by now, and four are not.
      await delay(7_000);
      await mint(20);
      slow.close();
      await server.close();

      expect(server.minted.length).toBe(41);
      expect(server.refused()).toBe(0);
      expect(server.busiestSecond()).toBeLessThanOrEqual(5);
    },
  );

  test("keeps its pace where the API takes 100 to 500 ms to answer", async ({ expect }) => {
    const server = await startLimitServer(10, { answerMs: 400 });
    const complycube = new ComplyCube({ apiKey: "live_KEY_OF_A_SLOW_API", baseUrl: server.url });
    const rows = Array.from({ length: 200 }, (_, i) => ({ clientId: `CLIENT_${i}`, appId }));

    for await (const { error } of complycube.token.generateMany(rows)) expect(error).toBeUndefined();
    await server.close();

    expect(server.minted.length).toBe(200);
    expect(server.refused()).toBe(0);
    expect(server.busiestSecond()).toBeLessThanOrEqual(10);
    expect(server.tookMs()).toBeGreaterThanOrEqual(19_000);
    expect(server.tookMs()).toBeLessThan(19_000 * 1.05);
  });

  test("starts with everyone at once and stays under the limit", async ({ expect }) => {
    const server = await startLimitServer(5);
    const complycube = new ComplyCube({ apiKey: "test_KEY_OF_A_CROWD", baseUrl: server.url });

    await Promise.all(Array.from({ length: 40 }, () => complycube.token.generate("CLIENT_ID", { appId })));
    await server.close();

    expect(server.refused()).toBe(0);
    expect(server.busiestSecond()).toBeLessThanOrEqual(5);
  });
});

// Alone, because it keeps the event loop of all tests busy.
describe("a busy process", () => {
  test("counts a request from when it leaves where the event loop is busy", async ({ expect }) => {
    const server = await startLimitServer(5);
    const complycube = new ComplyCube({ apiKey: "test_KEY_OF_A_BUSY_PROCESS", baseUrl: server.url });
    const mint = () =>
      Promise.all(Array.from({ length: 5 }, () => complycube.token.generate("CLIENT_ID", { appId })));
    await mint(); // Opens the connections.
    await delay(1_500);

    const first = mint();
    for (const startedAt = performance.now(); performance.now() - startedAt < 600; );
    await Promise.all([first, mint()]);
    await server.close();

    expect(server.minted.length).toBe(15);
    expect(server.refused()).toBe(0);
    expect(server.busiestSecond()).toBeLessThanOrEqual(5);
  });
});

describe("the official client", () => {
  test("the official client on the same work loses most of it", async ({ expect }) => {
    const server = await startLimitServer(10);

    const { minted, failed } = await officialBatch(server.url, 200);
    await server.close();

    expect(minted + failed).toBe(200);
    expect(failed).toBeGreaterThan(100);
  });
});
