import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { explainReferrer, type PagePolicy } from "../../src/referrer/index.ts";
import { type Chromium, findChromium, launchChromium } from "../support/chromium.ts";

const executablePath = findChromium("explainReferrer against Chromium");

const POLICIES: PagePolicy[] = [
  "",
  "no-referrer",
  "no-referrer-when-downgrade",
  "same-origin",
  "origin",
  "strict-origin",
  "origin-when-cross-origin",
  "strict-origin-when-cross-origin",
  "unsafe-url",
];

describe.skipIf(!executablePath)("explainReferrer against Chromium", () => {
  let browser: Chromium;

  beforeAll(async () => {
    browser = await launchChromium(executablePath as string);
    // Pages over https are answered in the browser, since only their URL matters; the API they call is real.
    await browser.context.route("https://www.example.com/**", (route) => {
      const policy = new URL(route.request().url()).searchParams.get("policy");
      return route.fulfill({
        contentType: "text/html",
        body: "<!doctype html>",
        headers: policy ? { "Referrer-Policy": policy } : {},
      });
    });
    await browser.context.route("https://api.complycube.com/**", (route) => {
      const referer = route.request().headers().referer ?? null;
      return route.fulfill({ json: { referer }, headers: { "Access-Control-Allow-Origin": "*" } });
    });
  });

  afterAll(() => browser?.close());

  /** Opens a page, calls the API from it as an SDK would, and returns the `Referer` that arrived. */
  const refererFrom = async (pageUrl: string): Promise<string | null> => {
    const page = await browser.context.newPage();
    try {
      await page.goto(pageUrl);
      return await page.evaluate(async () => {
        const response = await fetch("https://api.complycube.com/v1/tokens", { method: "POST", body: "{}" });
        return (await response.json()).referer;
      });
    } finally {
      await page.close();
    }
  };

  test.each(POLICIES)("sends at least what was predicted under policy %j", async (referrerPolicy) => {
    const pageUrl = `https://www.example.com/verify/step?policy=${referrerPolicy}#part`;

    const sent = await refererFrom(pageUrl);

    const predicted = explainReferrer({ pattern: "*://*/*", pageUrl, referrerPolicy });
    const sendsMore = predicted.advice.includes("Chrome the whole URL");
    expect(sent).toBe(sendsMore ? pageUrl.replace("#part", "") : predicted.sent);
  });
});
