import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { readmeParts } from "../../scripts/docs-pages.ts";
import { root } from "../../scripts/root.ts";
import { staticFiles } from "../../scripts/static-files.ts";
import { type Chromium, findChromium, launchChromium } from "../support/chromium.ts";
import { listen } from "../support/listen.ts";
import { isDark, SAMPLES, seriousFindings, settled, watch, whyBroken } from "../support/site.ts";

const executable = findChromium("the site");
const site = `${root}site/`;
const fromFile = pathToFileURL(site).href;
const OPERATION = "reference/index.html#/tokens/generatetoken";

/** Redoc names the button that chooses an example "Example", whatever it shows, when it draws the page. */
const REDOC_EXAMPLE = /^label-content-name-mismatch: <button[^>]* aria-label="Example"/;
/** TypeDoc's summaries hold links, in its navigation and beside its headings. Each can be reached by keyboard. */
const TYPEDOC_SUMMARY = /^nested-interactive: <summary /;

/** One of each kind of page, and what axe finds there in markup that is not ours. */
const PAGES: { path: string; known?: RegExp }[] = [
  { path: "index.html" },
  { path: "reference/index.html" },
  { path: OPERATION, known: REDOC_EXAMPLE },
  ...[
    "index.html",
    "classes/complycube-tokens.RateLimitError.html",
    "interfaces/complycube-tokens.Tokens.html",
    "interfaces/complycube-tokens.ComplyCubeOptions.html",
    "interfaces/complycube-tokens_fetch.paths.html",
  ].map((path) => ({ path: `api/${path}`, known: TYPEDOC_SUMMARY })),
];

const LOOKS = (["light", "dark"] as const).flatMap((colorScheme) => [
  { colorScheme, device: "desktop", width: 1280 },
  { colorScheme, device: "phone", width: 360 },
]);
type Look = (typeof LOOKS)[number];

describe.skipIf(!executable)("the site", () => {
  let chromium: Chromium;
  let server: { url: string; close(): Promise<void> };
  let underPath: string;

  beforeAll(async () => {
    execFileSync(process.execPath, ["scripts/docs.ts"], { cwd: root });
    server = await listen(staticFiles(site, "/some/where/"));
    underPath = `${server.url}/some/where/`;
    chromium = await launchChromium(executable as string);
  }, 60_000);
  afterAll(async () => {
    await chromium?.close();
    await server?.close();
  });

  async function open(url: string, look = LOOKS[0] as Look): Promise<Page> {
    const page = await chromium.context.newPage();
    onTestFinished(() => page.close());
    await page.emulateMedia({ colorScheme: look.colorScheme });
    await page.setViewportSize({ width: look.width, height: 800 });
    await page.goto(url);
    await settled(page);
    return page;
  }

  describe.each(LOOKS)("in $colorScheme on a $device", (look) => {
    test.each(PAGES)("$path is accessible, fits and is quiet", async ({ path, known }) => {
      const seen = watch(chromium.context, underPath);
      const page = await open(underPath + path, look);

      const findings = await seriousFindings(page, known);

      expect(findings).toEqual([]);
      expect(await overflow(page)).toBe(0);
      expect(await isDark(page)).toBe(look.colorScheme === "dark");
      expect(seen).toEqual({ elsewhere: [], errors: [] });
    });
  });

  test.each(PAGES)(
    "$path is quiet from a file, and the links that it draws lead to files",
    async ({ path }) => {
      const seen = watch(chromium.context, fromFile);
      const page = await open(fromFile + path);

      const links = (await linksOf(page)).filter((link) => !link.startsWith("#"));

      const [file = ""] = path.split("#");
      expect(links.map((link) => [link, whyBroken(site, file, link)]).filter(([, why]) => why)).toEqual([]);
      expect(links.length).toBeGreaterThan(0);
      expect(seen).toEqual({ elsewhere: [], errors: [] });
    },
  );

  test("every link that is written in a page leads to a file and an anchor that are there", () => {
    const pages = readdirSync(site, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".html"),
    );
    const links = pages.flatMap((path) =>
      [...readFileSync(site + path, "utf8").matchAll(/<a\b[^>]* href="([^"]*)"/g)].map(([, link = ""]) => ({
        path,
        link: link.replaceAll("&amp;", "&"),
      })),
    );

    const broken = links.filter(({ path, link }) => !link.startsWith("#/") && whyBroken(site, path, link));

    expect(broken).toEqual([]);
    expect(links.length).toBeGreaterThan(1_000);
  });

  test("every page about the SDK fits on a phone", async () => {
    const paths = readdirSync(`${site}api`, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".html"),
    );
    const page = await open(`${fromFile}api/index.html`, {
      colorScheme: "light",
      device: "phone",
      width: 360,
    });

    const tooWide: string[] = [];
    for (const path of paths) {
      await page.goto(`${fromFile}api/${path}`);
      await settled(page);
      if ((await overflow(page)) > 0) tooWide.push(path);
    }

    expect(tooWide).toEqual([]);
    expect(paths.length).toBeGreaterThan(50);
  });

  test("every link within the reference page leads to its section", async () => {
    const page = await open(underPath + OPERATION);
    const links = new Set((await linksOf(page)).filter((link) => /^#\/./.test(link)));

    for (const link of links) {
      await page.goto(`${underPath}reference/index.html${link}`);
      const id = link.split("#").at(-1)?.replace(/^\//, "");
      await page.locator(`[id="${id}"]`).waitFor({ state: "attached", timeout: 5_000 });
    }

    expect(links.size).toBeGreaterThan(10);
  });

  describe("the reference page", () => {
    let page: Page;
    beforeAll(async () => {
      page = await chromium.context.newPage();
      await page.goto(underPath + OPERATION);
      await settled(page);
    });

    test.each(SAMPLES)("shows the sample $label, whole", async ({ label, text }) => {
      const shown = page.locator("pre:visible", { hasText: "CLIENT_ID" }).first();
      const switcher = page
        .getByText(/^(complycube-tokens|cURL|Node\.js|Python|PHP|\.NET) \((web|mobile)\)$/)
        .first();

      if ((await switcher.textContent()) !== label) {
        await switcher.click();
        await page.getByText(label, { exact: true }).last().click();
      }

      await expect.poll(async () => (await shown.textContent())?.trim()).toBe(text);
      expect(await seriousFindings(page, REDOC_EXAMPLE)).toEqual([]);
    });
  });

  test("the landing page shows how the README installs and calls", async () => {
    const { install, firstCall } = readmeParts();

    const page = await open(`${fromFile}index.html`);

    expect(await page.locator("pre").allTextContents()).toEqual([install, firstCall]);
  });

  test("llms.txt has the form of llmstxt.org, and its links lead somewhere", () => {
    const text = readFileSync(`${site}llms.txt`, "utf8");
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link = ""]) => link);

    expect(text).toMatch(/^# complycube-tokens\n\n> .+\n\n/);
    expect(text.match(/^#{1,6} .+/gm)).toEqual([
      "# complycube-tokens",
      "## Docs",
      "## Specification",
      "## Optional",
    ]);
    expect(text.slice(text.indexOf("\n## ")).match(/^(?!## |- \[[^\]]+\]\([^)]+\): |$).+/gm)).toBeNull();
    expect(links.map((link) => whyBroken(site, "llms.txt", link)).filter(Boolean)).toEqual([]);
    expect(links.length).toBeGreaterThan(5);
  });
});

/** How far the page can be scrolled to the right, in CSS pixels. */
function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

function linksOf(page: Page): Promise<string[]> {
  return page.locator("a[href]").evaluateAll((all) => all.map((link) => link.getAttribute("href") ?? ""));
}
