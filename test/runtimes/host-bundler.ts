// Bundles the suite into one file, as a server's build does, and runs it. Usage: node host-bundler.ts BUNDLER ENTRY SETTINGS FOLDER
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [bundler = "", entry = "", settings = "", folder = ""] = process.argv.slice(2);
const load = createRequire(`${folder}/`);
const out = { folder: resolve("bundles"), file: `${bundler}.mjs` };

/** webpack and Rspack take the same configuration. */
const webpackConfig = {
  mode: "production",
  target: "node",
  entry: resolve(entry),
  experiments: { outputModule: true },
  output: { path: out.folder, filename: out.file, module: true },
};

/** How each is called in its own documentation for a server. */
const BUNDLERS: Record<string, () => Promise<unknown>> = {
  esbuild: () =>
    load("esbuild").build({
      entryPoints: [entry],
      bundle: true,
      platform: "node",
      format: "esm",
      outfile: `${out.folder}/${out.file}`,
    }),
  webpack: () => ended(load("webpack")(webpackConfig)),
  rspack: async () => ended((await import(load.resolve("@rspack/core"))).rspack(webpackConfig)),
  vite: async () =>
    (await import(load.resolve("vite"))).build({
      logLevel: "warn",
      ssr: { noExternal: true },
      build: {
        ssr: entry,
        outDir: out.folder,
        emptyOutDir: false,
        rollupOptions: { output: { entryFileNames: out.file } },
      },
    }),
};

interface Stats {
  hasErrors(): boolean;
  toString(): string;
}

async function ended(compiler: { run(done: (error: Error | null, stats: Stats) => void): void }) {
  const stats = await new Promise<Stats>((resolve, reject) =>
    compiler.run((error, stats) => (error ? reject(error) : resolve(stats))),
  );
  if (stats.hasErrors()) throw new Error(stats.toString());
}

await BUNDLERS[bundler]?.();
const { status } = spawnSync(process.execPath, [`${out.folder}/${out.file}`, settings], { stdio: "inherit" });
process.exitCode = status ?? 1;
