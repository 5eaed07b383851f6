import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { getRequestListener } from "@hono/node-server";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createTokenHandler } from "../../src/handler/index.ts";
import { type Chromium, findChromium, launchChromium } from "../support/chromium.ts";
import { type ComplyCubeStandIn, startComplyCubeStandIn } from "../support/complycube-stand-in.ts";
import { listen } from "../support/listen.ts";

const executablePath = findChromium("the endpoint and its page");
const ENDPOINT = "/api/complycube-token";

/** A request to the endpoint as it came, and what was answered. */
interface Seen {
  method: string | undefined;
  signedIn: boolean;
  site: IncomingMessage["headers"][string];
  origin: string | undefined;
  answer: number;
}

describe.skipIf(!executablePath)("the endpoint and its page, in Chromium", () => {
  let chromium: Chromium;
  let complycube: ComplyCubeStandIn;
  let app: Awaited<ReturnType<typeof listen>>;
  let elsewhere: Awaited<ReturnType<typeof listen>>;
  let page: Page;
  let seen: Seen[] = [];

  /** The same server under another name. */
  const at = (host: string, { url }: { url: string }) => `http://${host}:${new URL(url).port}`;
  const signIn = async (user: string) => {
    await page.getByLabel("Sign in as").selectOption(user);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText(`Signed in as ${user}.`).waitFor();
  };
  const step = (name: string) => page.getByRole("button", { name });

  beforeAll(async () => {
    complycube = await startComplyCubeStandIn();
    let express: RequestListener = () => {};
    app = await listen((request, response) => {
      const { method, url, headers } = request;
      response.once("finish", () => {
        if (url !== ENDPOINT) return;
        const { "sec-fetch-site": site, origin, cookie } = headers;
        seen.push({ method, signedIn: cookie !== undefined, site, origin, answer: response.statusCode });
      });
      express(request, response);
    });
    process.env.COMPLYCUBE_API_KEY = "test_BROWSER_KEY";
    process.env.COMPLYCUBE_BASE_URL = complycube.url;
    process.env.APP_REFERRER = `${at("localhost", app)}/*`;
    ({ app: express } = await import("../../examples/express.ts"));
    elsewhere = await listen((_, response) =>
      response.setHeader("content-type", "text/html").end("<title>Another site</title>"),
    );
    chromium = await launchChromium(executablePath as string);
  });
  afterAll(async () => {
    await chromium?.close();
    await Promise.all([app?.close(), elsewhere?.close(), complycube?.close()]);
  });
  beforeEach(async () => {
    await chromium.context.clearCookies();
    page = await chromium.context.newPage();
    seen = [];
    Object.assign(complycube, { minted: [], steps: [] });
    return () => page.close();
  });

  test("signs in, starts the SDK with a token, and renews it without a reload when it expires", async () => {
    await page.goto(`${at("localhost", app)}/index.html`);
    await page.evaluate("globalThis.sinceLoaded = true");
    const referrer = `${at("localhost", app)}/*`;
    const referer = `${at("localhost", app)}/`;

    await step("Start verification").click();
    await page.getByText("Please sign in first.").waitFor();
    expect(complycube.minted).toEqual([]);

    await signIn("grace");
    await step("Start verification").click();
    await step("Take a photo of your document").click();
    await step("Take a selfie").waitFor();
    expect(complycube.minted).toEqual([{ clientId: "CLIENT_ID_OF_GRACE", referrer }]);
    expect(complycube.steps).toEqual([{ referer, answer: 200 }]);

    complycube.passAnHour();
    await step("Take a selfie").click();
    await page.getByText("Your session was renewed.").waitFor();
    expect(complycube.minted).toHaveLength(2);
    expect(complycube.steps.at(-1)).toEqual({ referer, answer: 401 });

    for (const name of ["Take a photo of your document", "Take a selfie", "Send"]) await step(name).click();
    await page.getByText("Thank you.").waitFor();
    expect(complycube.minted).toHaveLength(2);
    expect(complycube.steps.map(({ answer }) => answer)).toEqual([200, 401, 200, 200, 200]);
    expect(await page.evaluate("globalThis.sinceLoaded")).toBe(true);
  });

  test("renews the token before it expires, without the user's noticing", async () => {
    await page.clock.install();
    await page.goto(`${at("localhost", app)}/index.html`);
    await signIn("ada");
    await step("Start verification").click();
    await step("Take a photo of your document").click();
    await step("Take a selfie").waitFor();

    complycube.passAnHour(); // Whatever was minted so far has expired.
    await page.clock.fastForward("55:00");
    await expect.poll(() => complycube.minted.length).toBe(2);
    await step("Take a selfie").click();
    await step("Send").click();
    await page.getByText("Thank you.").waitFor();

    expect(complycube.steps.map(({ answer }) => answer)).toEqual([200, 200, 200]);
    await page.clock.fastForward("55:00"); // The renewal ends with the verification.
    expect(complycube.minted).toHaveLength(2);
  });

  test("goes on later when the user closes the SDK", async () => {
    await page.goto(`${at("localhost", app)}/index.html`);
    await signIn("ada");
    await step("Start verification").click();
    await step("Close").click();
    await page.getByText("You can go on whenever you like.").waitFor();

    await step("Start verification").click();

    await step("Take a photo of your document").waitFor();
    expect(complycube.minted).toHaveLength(2);
  });

  test("a token taken from the page is worth nothing on another site", async () => {
    await page.goto(`${at("localhost", app)}/index.html`);
    await signIn("ada");
    const token = await page.evaluate(
      `fetch("${ENDPOINT}", { method: "POST" }).then((r) => r.json()).then((b) => b.token)`,
    );

    await page.goto(at("127.0.0.1", elsewhere));
    const answer = await page.evaluate(
      `fetch("${complycube.url}/stand-in/step", { method: "POST", headers: { authorization: "${token}" } }).then((r) => r.status)`,
    );

    expect(answer).toBe(403);
    expect(complycube.steps).toEqual([{ referer: `${at("127.0.0.1", elsewhere)}/`, answer: 403 }]);
  });

  describe.each([
    // On plain http, Chromium sends Sec-Fetch-Site only to loopback names; elsewhere the Origin has to do.
    { host: "localhost", hostile: "localhost", site: "same-site", signedIn: true },
    { host: "localhost", hostile: "127.0.0.1", site: "cross-site", signedIn: false },
    { host: "app.test", hostile: "app.test", site: undefined, signedIn: true },
    { host: "app.test", hostile: "evil.test", site: undefined, signedIn: false },
  ])("a hostile page on $hostile, against the endpoint on $host", ({ host, hostile, site, signedIn }) => {
    let endpoint: string;
    let origin: string;

    beforeEach(async () => {
      await page.goto(`${at(host, app)}/index.html`);
      await signIn("ada");
      endpoint = at(host, app) + ENDPOINT;
      origin = at(hostile, elsewhere);
      await page.goto(origin);
    });

    /** What the page gets to see of a `fetch`. */
    const attempt = (init: object) =>
      page.evaluate(
        `fetch("${endpoint}", ${JSON.stringify({ method: "POST", credentials: "include", ...init })})
          .then(async (r) => [r.type, await r.text()], (error) => error.name)`,
      );

    test.each([
      ["fetch with credentials", {}, "TypeError", "POST", 403],
      [
        "fetch with credentials and a plain body",
        { body: '{"clientId":"CLIENT_ID_OF_ADA"}' },
        "TypeError",
        "POST",
        403,
      ],
      ["no-cors fetch", { mode: "no-cors" }, ["opaque", ""], "POST", 403],
      [
        "fetch that needs a preflight",
        { headers: { "content-type": "application/json" } },
        "TypeError",
        "OPTIONS",
        405,
      ],
    ])("gets nothing by %s", async (_, init, result, method, answer) => {
      expect(await attempt(init)).toEqual(result);

      const cookie = method === "POST" && signedIn; // A preflight never carries one.
      await expect.poll(() => seen).toEqual([{ method, signedIn: cookie, site, origin, answer }]);
      expect(complycube.minted).toEqual([]);
    });

    test("gets nothing by a form post", async () => {
      await page.evaluate(
        `document.body.innerHTML = '<form method="post" action="${endpoint}"><input name="clientId" value="x"></form>'`,
      );

      await Promise.all([page.waitForURL(endpoint), page.evaluate("document.forms[0].submit()")]);

      expect(await page.textContent("body")).toContain('{"error":"cross_origin"}');
      await expect.poll(() => seen).toEqual([{ method: "POST", signedIn, site, origin, answer: 403 }]);
      expect(complycube.minted).toEqual([]);
    });
  });
});

describe.skipIf(!executablePath)(
  "an endpoint that allows the origin of an extension and of a hybrid app",
  () => {
    let chromium: Chromium;
    let endpoint: Awaited<ReturnType<typeof listen>>;
    let elsewhere: Awaited<ReturnType<typeof listen>>;
    const folder = mkdtempSync(join(tmpdir(), "hostile-"));
    let seen: { origin: string | undefined; answer: number }[] = [];
    const generate = vi.fn(async () => "TOKEN");

    beforeAll(async () => {
      const extension = fileURLToPath(new URL("extension", import.meta.url));
      chromium = await launchChromium(executablePath as string, extension);
      const { context } = chromium;
      const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
      const [, allowed = ""] = /^(chrome-extension:\/\/\w+)\//.exec(worker.url()) ?? [];
      const handler = createTokenHandler({
        complycube: { token: { generate } },
        target: { appId: "com.example.app" },
        authenticate: () => ({ clientId: "CLIENT_ID" }), // Whoever asks: only the origin keeps them out.
        allowedOrigins: [allowed, "capacitor://localhost"],
        onError: () => {},
      });
      const listener = getRequestListener(handler, { overrideGlobalObjects: false });
      endpoint = await listen((request, response) => {
        const { origin } = request.headers;
        response.once("finish", () => seen.push({ origin, answer: response.statusCode }));
        listener(request, response);
      });
      elsewhere = await listen((_, response) =>
        response.setHeader("content-type", "text/html").end("<title>Another site</title>"),
      );
      writeFileSync(join(folder, "page.html"), "<title>A file</title>");
    });
    afterAll(async () => {
      await chromium?.close();
      await Promise.all([endpoint?.close(), elsewhere?.close()]);
      rmSync(folder, { recursive: true });
    });
    beforeEach(() => {
      seen = [];
      generate.mockClear();
    });

    const ask = () =>
      `fetch("${endpoint.url}", { method: "POST" }).then((r) => r.text(), (error) => error.name)`;

    test("answers the extension", async () => {
      const answer = await chromium.context.serviceWorkers()[0]?.evaluate(ask());

      expect(answer).toBe('{"token":"TOKEN","clientId":"CLIENT_ID"}');
      expect(seen).toEqual([{ origin: expect.stringMatching(/^chrome-extension:/), answer: 200 }]);
    });

    test.each([
      ["a page of another site", () => elsewhere.url],
      ["a page in a file", () => `file://${folder}/page.html`],
      ["a data: page", () => "data:text/html,<title>Data</title>"],
    ])("gives nothing to %s, nor to a sandboxed frame in it", async (_, url) => {
      const page = await chromium.context.newPage();
      await page.goto(url());

      const answer = await page.evaluate(ask());
      const framed = await page.evaluate(
        `new Promise((resolve) => {
        addEventListener("message", ({ data }) => resolve(data));
        const script = ${JSON.stringify(`${ask()}.then((answer) => parent.postMessage(answer, "*"))`)};
        const frame = document.createElement("iframe");
        frame.sandbox = "allow-scripts";
        frame.srcdoc = "<script>" + script + "</" + "script>";
        document.body.append(frame);
      })`,
      );
      await page.close();

      expect([answer, framed]).toEqual(["TypeError", "TypeError"]);
      const origin = url().startsWith("http") ? elsewhere.url : "null";
      await expect
        .poll(() => seen)
        .toEqual([
          { origin, answer: 403 },
          { origin: "null", answer: 403 },
        ]);
      expect(generate).not.toHaveBeenCalled();
    });
  },
);
