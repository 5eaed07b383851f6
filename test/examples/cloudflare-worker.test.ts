import { Miniflare } from "miniflare";
import { build } from "tsdown";
import { root } from "../../scripts/root.ts";
import { describeEndpoint } from "../support/endpoint-rules.ts";

describeEndpoint("examples/cloudflare-worker.ts, on workerd", "https://www.example.com/*", async (apiUrl) => {
  const { bundles } = await build({
    config: false,
    cwd: root,
    entry: "examples/cloudflare-worker.ts",
    platform: "neutral",
    deps: { alwaysBundle: [/./] },
    dts: false,
    write: false,
    clean: false,
    logLevel: "error",
  });
  const [worker] = bundles[0]?.chunks ?? [];
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    modules: true,
    script: worker?.type === "chunk" ? worker.code : "",
    compatibilityDate: "2026-07-01",
    bindings: { COMPLYCUBE_API_KEY: "test_EXAMPLE_KEY", COMPLYCUBE_BASE_URL: apiUrl },
    kvNamespaces: ["SESSIONS"],
    cf: false, // Else it asks the network where it is.
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
