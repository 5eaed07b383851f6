import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, test } from "vitest";
import { startLimitServer } from "../support/limit-server.ts";
import { bundleWorker, startWorker } from "../support/worker.ts";

/** As the API with a test key. */
const PER_SECOND = 5;

describe("on Cloudflare Workers, where nothing of one request may settle another's", {
  concurrent: true,
}, () => {
  let script = "";
  beforeAll(async () => {
    script = await bundleWorker("test/support/limited-worker.ts");
  });

  test.for(["/client", "/number", "/key-function", "/two-clients", "/handler"])(
    "%s mints for every request that stays, and for the next one, whoever leaves",
    async (path, { expect }) => {
      const api = await startLimitServer(PER_SECOND);
      const worker = startWorker(script, { bindings: { BASE_URL: api.url } });
      onEnd.push(() => worker.dispose(), api.close);
      const url = new URL(path, await worker.ready);
      const ask = async (signal?: AbortSignal) => {
        const answer = await fetch(url, { method: "POST", signal: signal ?? null });
        return [answer.status, await answer.text()];
      };

      // Every third caller leaves while it waits.
      const leaving = new AbortController();
      const asked = Array.from({ length: 21 }, (_, i) => ask(i % 3 === 1 ? leaving.signal : undefined));
      const answers = Promise.allSettled(asked);
      await delay(300);
      leaving.abort();
      const settled = await answers;
      const next = await ask();

      const stayed = settled.filter((_, i) => i % 3 !== 1);
      for (const answer of stayed) {
        expect(answer).toMatchObject({ status: "fulfilled", value: [200, expect.stringContaining("TOKEN")] });
      }
      expect(next[0]).toBe(200);
      expect(api.refused()).toBe(0);
      expect(api.busiestSecond()).toBeLessThanOrEqual(PER_SECOND);
    },
  );
});

const onEnd: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(onEnd.map((end) => end())));
