import { Miniflare } from "miniflare";
import { build } from "tsdown";
import { root } from "../../scripts/root.ts";

/** Bundles a Worker into one file, as Wrangler does. */
export async function bundleWorker(entry: string): Promise<string> {
  const { bundles } = await build({
    config: false,
    cwd: root,
    entry,
    platform: "neutral",
    deps: { alwaysBundle: [/./] },
    dts: false,
    write: false,
    clean: false,
    logLevel: "error",
  });
  const [worker] = bundles[0]?.chunks ?? [];
  return worker?.type === "chunk" ? worker.code : "";
}

/** Starts a bundled Worker on workerd, on a free loopback port. */
export function startWorker(
  script: string,
  settings: { bindings: Record<string, string>; kvNamespaces?: string[] },
): Miniflare {
  return new Miniflare({
    host: "127.0.0.1",
    modules: true,
    script,
    compatibilityDate: "2026-07-01",
    cf: false, // Else it asks the network where it is.
    ...settings,
  });
}
