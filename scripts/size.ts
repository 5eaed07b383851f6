// Holds what an import costs a bundle to its budget: minified, gzipped, with the dependencies that come along.
import { gzipSync } from "node:zlib";
import { Rolldown } from "tsdown";
import { root } from "./root.ts";

/** In kB of 1,000 bytes, by what is imported and from which file of `dist/`. */
const BUDGETS: [what: string, file: string, maxKb: number][] = [
  ["{ ComplyCube }", "index", 13.8],
  ["*", "index", 15.4],
  ["*", "referrer", 3.6],
  ["*", "handler", 6.6],
  ["*", "redis", 4.8],
  ["*", "fetch", 4.2],
  ["*", "client", 4.2],
  ["*", "msw", 0.5],
];

/** Optional peers, which whoever imports such a part has already. */
const EXTERNAL = [/^node:/, "msw"];

/** Bundles some code as an application would, and weighs the result. */
export async function measureSize(name: string, code: string, platform: "neutral" | "node" = "neutral") {
  const entry = `${root}size-of-an-import.js`; // Never written: it only says where to resolve from.
  const plugin = {
    name: "entry",
    resolveId: (id: string) => (id === entry ? id : null),
    load: (id: string) => (id === entry ? code : null),
  };
  const bundle = await Rolldown.rolldown({
    input: entry,
    platform,
    external: EXTERNAL,
    logLevel: "silent",
    plugins: [plugin],
  });
  const { output } = await bundle.generate({ format: "esm", minify: true, codeSplitting: false });
  await bundle.close();
  const minified = output.map((file) => (file.type === "chunk" ? file.code : "")).join("");
  const gzippedBytes = gzipSync(minified, { level: 9 }).length;
  return { name, minifiedBytes: Buffer.byteLength(minified), gzippedBytes };
}

if (import.meta.main) {
  for (const [what, file, maxKb] of BUDGETS) {
    const { gzippedBytes } = await measureSize(file, `export ${what} from "${root}dist/${file}.js"`);
    const over = gzippedBytes > maxKb * 1_000;
    const size = (gzippedBytes / 1_000).toFixed(2).padStart(6);
    console.log(`${size} kB of ${maxKb} kB  ${what} from ${file}${over ? ": over its budget" : ""}`);
    if (over) process.exitCode = 1;
  }
}
