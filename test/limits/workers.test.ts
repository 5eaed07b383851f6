import { setTimeout as delay } from "node:timers/promises";
import { Miniflare } from "miniflare";
import { build } from "tsdown";
import { afterAll, beforeAll, describe, test } from "vitest";
import { root } from "../../scripts/root.ts";
import { startLimitServer } from "../support/limit-server.ts";

/** As the API with a test key. */
const PER_SECOND = 5;

describe("on Cloudflare Workers, where nothing of one request may settle another's", {
  concurrent: true,
}, () => {
  let script = "";
  beforeAll(async () => {
    const { bundles } = await build({
      config: false,
      cwd: root,
      entry: "test/support/limited-worker.ts",
      platform: "neutral",
      deps: { alwaysBundle: [/./] },
      dts: false,
      write: false,
      clean: false,
      logLevel: "error",
    });
    const [worker] = bundles[0]?.chunks ?? [];
    script = worker?.type === "chunk" ? worker.code : "";
  });

  test.for(["/client", "/number", "/key-function", "/two-clients", "/handler"])(
    "%s mints for every request that stays, and for the next one, whoever leaves",
    async (path, { expect }) => {
      const api = await startLimitServer(PER_SECOND);
      const worker = new Miniflare({
        host: "127.0.0.1",
        modules: true,
        script,
        compatibilityDate: "2026-07-01",
        bindings: { BASE_URL: api.url },
        cf: false, // Else it asks the network where it is.
      });
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
