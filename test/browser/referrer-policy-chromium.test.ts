import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { explainReferrer, type PagePolicy, type ReferrerCheck } from "../../src/referrer/index.ts";
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

const listen = (server: Server) =>
  new Promise<string>((resolve) => {
    server.listen(0, "127.0.0.1", () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    );
  });

/** Answers every request, pages and API calls alike, and says what `Referer` came. */
const createEcho = () =>
  createServer((request, response) => {
    const policy = new URL(request.url ?? "/", "http://x").searchParams.get("policy");
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Access-Control-Allow-Headers", "*");
    if (policy) response.setHeader("Referrer-Policy", policy);
    if (request.url?.startsWith("/v1/")) {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ referer: request.headers.referer ?? null }));
    } else {
      response.setHeader("Content-Type", "text/html");
      response.end("<!doctype html><title>page</title>");
    }
  });

describe.skipIf(!executablePath)("explainReferrer against Chromium", () => {
  const servers = [createEcho(), createEcho()];
  let browser: Chromium;
  let pageOrigin: string;
  let apiOrigin: string;

  beforeAll(async () => {
    [pageOrigin = "", apiOrigin = ""] = await Promise.all(servers.map(listen));
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

  afterAll(async () => {
    await browser?.close();
    for (const server of servers) server.close();
  });

  /** Opens a page, calls the API from it as an SDK would, and gives the `Referer` that arrived. */
  const refererFrom = async (pageUrl: string, api: string, inside?: string): Promise<string | null> => {
    const page = await browser.context.newPage();
    try {
      await page.goto(pageUrl);
      if (inside !== undefined) {
        await page.evaluate(inside);
        await page.waitForFunction(() => frames.length === 1);
      }
      const frame = inside === undefined ? page.mainFrame() : page.frames().at(-1);
      return await (frame ?? page.mainFrame()).evaluate(async (url) => {
        const response = await fetch(`${url}/v1/tokens`, { method: "POST", body: "{}" });
        return (await response.json()).referer;
      }, api);
    } finally {
      await page.close();
    }
  };

  const predicted = (check: Omit<ReferrerCheck, "pattern">) =>
    explainReferrer({ pattern: "*://*/*", ...check }).sent;

  describe.each(POLICIES)("policy %j", (referrerPolicy) => {
    test("sends to another origin what was predicted", async () => {
      const pageUrl = `${pageOrigin.replace("//", "//user:password@")}/verify/step?policy=${referrerPolicy}#part`;

      const sent = await refererFrom(pageUrl, apiOrigin);

      expect(sent).toBe(predicted({ pageUrl, referrerPolicy, apiOrigin }));
    });

    test("sends to the same origin what was predicted", async () => {
      const pageUrl = `${pageOrigin}/verify/step?policy=${referrerPolicy}`;

      const sent = await refererFrom(pageUrl, pageOrigin);

      expect(sent).toBe(predicted({ pageUrl, referrerPolicy, apiOrigin: pageOrigin }));
    });

    test("sends from https to a loopback API over http what was predicted", async () => {
      const pageUrl = `https://www.example.com/verify?policy=${referrerPolicy}`;

      const sent = await refererFrom(pageUrl, apiOrigin);

      expect(sent).toBe(predicted({ pageUrl, referrerPolicy, apiOrigin }));
    });
  });

  test("sends from localhost to an API over http elsewhere what was predicted", async () => {
    const pageUrl = `${pageOrigin.replace("127.0.0.1", "localhost")}/verify`;
    const elsewhere = apiOrigin.replace("127.0.0.1", "api.test");

    const sent = await refererFrom(pageUrl, elsewhere);

    expect(sent).toBe(predicted({ pageUrl, apiOrigin: elsewhere }));
    expect(sent).not.toBeNull();
  });

  test.each(POLICIES)(
    "sends from https to the API over https what was predicted under policy %j",
    async (referrerPolicy) => {
      const pageUrl = `https://www.example.com/verify/step?policy=${referrerPolicy}#part`;

      const sent = await refererFrom(pageUrl, "https://api.complycube.com");

      expect(sent).toBe(predicted({ pageUrl, referrerPolicy }));
    },
  );

  test.each([4095, 4096, 4097])("sends what was predicted when the URL has %i characters", async (length) => {
    const start = `${pageOrigin}/verify?policy=unsafe-url&x=`;
    const pageUrl = start.padEnd(length, "a");

    const sent = await refererFrom(`${pageUrl}#fragment`, apiOrigin);

    expect(sent).toBe(predicted({ pageUrl, referrerPolicy: "unsafe-url", apiOrigin }));
  });

  test("keeps the question mark of an empty query", async () => {
    const pageUrl = `${pageOrigin}/?`;

    const sent = await refererFrom(pageUrl, pageOrigin);

    expect(sent).toBe(predicted({ pageUrl, apiOrigin: pageOrigin }));
  });

  test.each([
    ["data:", "data:text/html,<!doctype html>"],
    ["about:", "about:blank"],
  ])("sends nothing from a %s page", async (_scheme, pageUrl) => {
    const sent = await refererFrom(pageUrl, apiOrigin);

    expect(sent).toBeNull();
    expect(predicted({ pageUrl, referrerPolicy: "unsafe-url", apiOrigin })).toBeNull();
  });

  const addFrame = (attributes: string) =>
    `{ const frame = document.createElement("iframe"); ${attributes}; document.body.append(frame); }`;

  test("sends nothing from a sandboxed page", async () => {
    const pageUrl = `${pageOrigin}/verify?policy=unsafe-url`;
    const frame = addFrame(`frame.sandbox = "allow-scripts"; frame.src = ${JSON.stringify(pageUrl)}`);

    const sent = await refererFrom(pageUrl, apiOrigin, frame);

    expect(sent).toBe(predicted({ pageUrl, referrerPolicy: "unsafe-url", apiOrigin, sandboxed: true }));
  });

  test("sends nothing from a blob: page", async () => {
    const frame = addFrame(
      'frame.src = URL.createObjectURL(new Blob(["<!doctype html>"], { type: "text/html" }))',
    );

    const sent = await refererFrom(`${pageOrigin}/`, apiOrigin, frame);

    expect(sent).toBe(predicted({ pageUrl: `blob:${pageOrigin}/1`, apiOrigin }));
  });
});
