import { defineConfig, type UserConfig } from "tsdown";

const shared: UserConfig = {
  entry: { index: "src/index.ts", client: "src/client.ts", fetch: "src/fetch.ts", msw: "src/msw.ts" },
  platform: "neutral",
  target: "es2023",
  dts: true,
  sourcemap: true,
  logLevel: "warn",
  report: false,
};

export default defineConfig([
  {
    ...shared,
    format: "esm",
    copy: ["generated/openapi/openapi.yaml", "generated/openapi/openapi.json"],
  },
  {
    ...shared,
    format: "cjs",
    // Its CommonJS build has its function one `default` deeper than Node's own import of it gives, so it is built in.
    deps: { alwaysBundle: ["openapi-fetch"] },
  },
]);
