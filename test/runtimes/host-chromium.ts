// Runs the suite in a page of headless Chromium. Usage: node host-chromium.ts BUNDLE SETTINGS
import { readFileSync } from "node:fs";
import { findChromium, launchChromium } from "../support/chromium.ts";
import { listen } from "../support/listen.ts";

const [bundle = "", settings = ""] = process.argv.slice(2);
const chromium = await launchChromium(findChromium("Chromium") ?? "");
const site = await listen((_, response) =>
  response.setHeader("content-type", "text/html").end("<!doctype html><title>Suite</title>"),
);
try {
  const page = await chromium.context.newPage();
  page.on("console", (message) => console.log(message.text()));
  await page.goto(site.url);
  await page.addScriptTag({ content: readFileSync(bundle, "utf8") });
  const results = await page.evaluate(`runSuite(${settings})`);
  console.log(`\nRESULTS ${JSON.stringify(results)}`);
} finally {
  await chromium.close();
  await site.close();
}
