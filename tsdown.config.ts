import { defineConfig, type Rolldown, type UserConfig } from "tsdown";

/** Type declarations get no source maps, and yet each would end by naming one. */
const declarationsNameNoMap: Rolldown.Plugin = {
  name: "declarations-name-no-map",
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== "chunk" || !/\.d\.c?ts$/.test(file.fileName)) continue;
      file.code = file.code.replace(/\n\/\/# sourceMappingURL=.*/, "");
    }
  },
};

const library: UserConfig = {
  entry: {
    index: "src/index.ts",
    referrer: "src/referrer/index.ts",
    undici: "src/undici.ts",
    handler: "src/handler.ts",
    client: "src/client.ts",
    fetch: "src/fetch.ts",
    msw: "src/msw.ts",
    redis: "src/redis.ts",
  },
  platform: "neutral",
  deps: { neverBundle: [/^node:/] },
  target: "es2023",
  dts: true,
  sourcemap: true,
  outputOptions: { plugins: [declarationsNameNoMap] },
  logLevel: "warn",
  report: false,
  inputOptions: { checks: { pluginTimings: false } },
};

export default defineConfig([
  {
    ...library,
    format: "esm",
    copy: ["generated/openapi/openapi.yaml", "generated/openapi/openapi.json"],
  },
  {
    ...library,
    format: "cjs",
    // Its CommonJS build has its function one `default` deeper than Node's own import of it gives, so it is built in.
    deps: { ...library.deps, alwaysBundle: ["openapi-fetch"] },
  },
  {
    entry: { cli: "src/cli.ts" },
    format: "esm",
    platform: "node",
    target: "node22",
    fixedExtension: false,
    // Only the command line needs them: the list of public suffixes, which is large, and the progress bar.
    deps: { alwaysBundle: ["tldts", "cli-progress"] },
    dts: false,
    logLevel: "warn",
    report: false,
  },
]);
