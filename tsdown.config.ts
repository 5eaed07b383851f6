import { defineConfig } from "tsdown";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    client: "src/client.ts",
    fetch: "src/fetch.ts",
    msw: "src/msw.ts",
  },
  format: ["esm", "cjs"],
  platform: "neutral",
  target: "es2023",
  dts: true,
  sourcemap: true,
  deps: { neverBundle: ["openapi-fetch", "msw"] },
  copy: ["generated/openapi/openapi.yaml", "generated/openapi/openapi.json"],
  logLevel: "warn",
});
