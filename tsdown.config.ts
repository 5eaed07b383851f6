import { fileURLToPath } from "node:url";
import { defineConfig, type Rolldown, type UserConfig } from "tsdown";

const MAIN = { index: "src/index.ts", referrer: "src/referrer/index.ts" };
const PARTS = {
  handler: "src/handler/index.ts",
  client: "src/client.ts",
  fetch: "src/fetch.ts",
  msw: "src/msw.ts",
  redis: "src/redis/index.ts",
};

const library: UserConfig = {
  platform: "neutral",
  // Built in, because to find and read one more package takes Node.js longer than the rest of the import.
  deps: { neverBundle: [/^node:/], alwaysBundle: ["openapi-fetch", "openapi-typescript-helpers"] },
  target: "es2023",
  dts: false,
  sourcemap: true,
  logLevel: "warn",
  report: false,
  inputOptions: { checks: { pluginTimings: false } },
  outputOptions: { comments: { jsdoc: false } }, // They are in the declarations, and a quarter of what Node.js would read.
};

/** What has to be the same class for `instanceof`, whichever part of the package it came from. */
const SHARED = new Map([
  [fileURLToPath(new URL("src/core/errors.ts", import.meta.url)), "./index"],
  [fileURLToPath(new URL("src/referrer/index.ts", import.meta.url)), "./referrer"],
]);

/** Makes the parts import what they share with the main entries from there. */
function sharing(extension: string): Rolldown.Plugin {
  return {
    name: "sharing",
    async resolveId(specifier, importer, options) {
      if (importer === undefined) return null;
      const resolved = await this.resolve(specifier, importer, options);
      const entry = resolved && SHARED.get(resolved.id);
      return entry === undefined ? null : { id: entry + extension, external: true };
    },
  };
}

/**
 * One format of the library. The main entries are built by themselves, or what they share with the parts would go into
 * files of its own, and each costs the import of the package about 0.4 ms.
 */
function builds(format: "esm" | "cjs", extension: string): UserConfig[] {
  return [
    { ...library, format, entry: MAIN },
    { ...library, format, entry: PARTS, plugins: [sharing(extension)] },
  ];
}

/** The declarations of one format, of all entries together, so that a type is one wherever it is imported from. */
function declarations(extension: string): UserConfig {
  return {
    ...library,
    entry: { ...MAIN, ...PARTS },
    format: "esm",
    dts: { emitDtsOnly: true },
    sourcemap: false,
    outExtensions: () => ({ dts: extension }),
  };
}

export default defineConfig([
  ...builds("esm", ".js"),
  ...builds("cjs", ".cjs"),
  declarations(".d.ts"),
  {
    ...declarations(".d.cts"),
    copy: ["generated/openapi/openapi.yaml", "generated/openapi/openapi.json"],
  },
  {
    entry: { cli: "src/cli/main.ts" },
    format: "esm",
    platform: "node",
    target: "node22",
    fixedExtension: false,
    // Only the command line needs it: the list of public suffixes, which is large.
    deps: { alwaysBundle: ["tldts"] },
    dts: false,
    logLevel: "warn",
    report: false,
    inputOptions: { checks: { pluginTimings: false } },
  },
]);
