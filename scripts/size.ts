// Holds what an import costs a bundle to its budget: minified, gzipped, with the dependencies that come along.
import { styleText } from "node:util";
import { gzipSync } from "node:zlib";
import { Rolldown } from "tsdown";
import { root } from "./root.ts";

/** What one import adds to a bundle. */
export interface Size {
  /** The import, as a user writes it. */
  name: string;
  minifiedBytes: number;
  gzippedBytes: number;
}

interface Budget {
  code: string;
  /** In kB of 1,000 bytes, gzipped. */
  maxKb: number;
}

const BUDGETS: Record<string, Budget> = {
  'import { ComplyCube } from "complycube-tokens"': {
    code: `export { ComplyCube } from "${root}dist/index.js"`,
    maxKb: 9.6,
  },
  'import * from "complycube-tokens"': { code: `export * from "${root}dist/index.js"`, maxKb: 11.3 },
  'import * from "complycube-tokens/referrer"': { code: `export * from "${root}dist/referrer.js"`, maxKb: 3 },
  'import * from "complycube-tokens/handler"': { code: `export * from "${root}dist/handler.js"`, maxKb: 6.5 },
  'import * from "complycube-tokens/undici"': { code: `export * from "${root}dist/undici.js"`, maxKb: 1.6 },
  'import * from "complycube-tokens/redis"': { code: `export * from "${root}dist/redis.js"`, maxKb: 4 },
  'import * from "complycube-tokens/fetch"': { code: `export * from "${root}dist/fetch.js"`, maxKb: 3.6 },
  'import * from "complycube-tokens/client"': { code: `export * from "${root}dist/client.js"`, maxKb: 5 },
  'import * from "complycube-tokens/msw"': { code: `export * from "${root}dist/msw.js"`, maxKb: 1 },
};

/** Optional peers, which whoever imports such a part has already. */
const EXTERNAL = [/^node:/, "msw", "undici", "rate-limiter-flexible"];

/** Bundles some code as an application would, and weighs the result. */
export async function measureSize(
  name: string,
  code: string,
  platform: "neutral" | "node" = "neutral",
): Promise<Size> {
  const entry = `${root}size-of-an-import.js`; // Never written: it only says where to resolve from.
  const bundle = await Rolldown.rolldown({
    input: entry,
    platform,
    external: EXTERNAL,
    logLevel: "silent",
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? code : null),
      },
    ],
  });
  try {
    const { output } = await bundle.generate({ format: "esm", minify: true, codeSplitting: false });
    const minified = output.map((file) => (file.type === "chunk" ? file.code : "")).join("");
    return {
      name,
      minifiedBytes: Buffer.byteLength(minified),
      gzippedBytes: gzipSync(minified, { level: 9 }).length,
    };
  } finally {
    await bundle.close();
  }
}

if (import.meta.main) {
  for (const [name, { code, maxKb }] of Object.entries(BUDGETS)) {
    const { minifiedBytes, gzippedBytes } = await measureSize(name, code);
    const over = gzippedBytes > maxKb * 1_000;
    const kb = (bytes: number) => (bytes / 1_000).toFixed(2).padStart(6);
    const line = `${kb(gzippedBytes)} kB of ${maxKb} kB  (${kb(minifiedBytes)} kB minified)  ${name}`;
    console.log(over ? styleText("red", `${line}  over its budget`) : line);
    if (over) process.exitCode = 1;
  }
}
