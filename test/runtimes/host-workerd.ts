// Runs the suite in workerd, as Cloudflare does. Usage: node host-workerd.ts BUNDLE SETTINGS
import { readFileSync } from "node:fs";
import { Miniflare } from "miniflare";

const [bundle = "", settings = ""] = process.argv.slice(2);
const miniflare = new Miniflare({
  host: "127.0.0.1",
  modules: true,
  script: readFileSync(bundle, "utf8"),
  compatibilityDate: "2026-07-01",
  cf: false, // Else it asks the network where it is.
});
try {
  const url = await miniflare.ready;
  const answer = await fetch(url, { method: "POST", body: settings });
  console.log(`\nRESULTS ${await answer.text()}`);
} finally {
  await miniflare.dispose();
}
