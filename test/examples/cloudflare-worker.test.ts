import { describeEndpoint } from "../support/endpoint-rules.ts";
import { bundleWorker, startWorker } from "../support/worker.ts";

describeEndpoint("examples/cloudflare-worker.ts, on workerd", "https://www.example.com/*", async (apiUrl) => {
  const miniflare = startWorker(await bundleWorker("examples/cloudflare-worker.ts"), {
    bindings: { COMPLYCUBE_API_KEY: "test_EXAMPLE_KEY", COMPLYCUBE_BASE_URL: apiUrl },
    kvNamespaces: ["SESSIONS"],
  });
  const url = String(await miniflare.ready);
  const users: unknown = await miniflare.getKVNamespace("SESSIONS");
  await (users as Kv).put("user:ada", "CLIENT_ID_OF_ADA");
  return { url, noticesOnlyResets: true, close: () => miniflare.dispose() };
});

/** Miniflare's own types of it need all of Cloudflare's. */
interface Kv {
  put(key: string, value: string): Promise<void>;
}
