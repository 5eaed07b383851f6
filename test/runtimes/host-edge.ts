// Runs the suite in Vercel's Edge Runtime. Usage: node host-edge.ts BUNDLE SETTINGS FOLDER-OF-THE-RUNTIME
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

interface EdgeRuntime {
  evaluate(code: string): unknown;
}

const [bundle = "", settings = "", folder = ""] = process.argv.slice(2);
const edge = createRequire(`${folder}/`)("edge-runtime") as { EdgeRuntime: new () => EdgeRuntime };
const runtime = new edge.EdgeRuntime();
runtime.evaluate(readFileSync(bundle, "utf8"));
const results = await runtime.evaluate(`runSuite(${settings}).then((results) => JSON.stringify(results))`);
console.log(`\nRESULTS ${results}`);
