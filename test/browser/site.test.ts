import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { root } from "../../scripts/root.ts";
import { type Chromium, findChromium, launchChromium } from "../support/chromium.ts";
import {
  isDark,
  overflow,
  pagesOf,
  SAMPLES,
  seriousFindings,
  serveSite,
  watch,
  whyBroken,
} from "../support/site.ts";

const executable = findChromium("the site");
/** A sub-path, as GitHub Pages has it; `npm run docs` builds for the root of a host. */
const BASE = "/some/where/";
const site = `${root}.reports/site/`;

const WIDTHS = [360, 768, 1280];

describe.skipIf(!executable)("the site", () => {
  let chromium: Chromium;
  let server: { url: string; close(): Promise<void> };
  let home: string;

  beforeAll(async () => {
    // Without Vitest's own variables, such as BASE_URL, which the generator would take for its own.
    const { PATH, HOME } = process.env;
    execFileSync(process.execPath, ["scripts/docs.ts"], {
      cwd: root,
      env: { PATH, HOME, DOCS_BASE: BASE, DOCS_OUT: site },
    });
    server = await serveSite(site, BASE);
    home = server.url + BASE;
    chromium = await launchChromium(executable as string);
  }, 240_000);
  afterAll(async () => {
    await chromium?.close();
    await server?.close();
  });

  async function open(path: string): Promise<Page> {
    const page = await chromium.context.newPage();
    onTestFinished(() => page.close());
    await page.goto(home + path);
    return page;
  }

  test("is accessible and fits on every page, in light and dark, at 360, 768 and 1280 px, and asks no other host", {
    timeout: 600_000,
  }, async () => {
    const seen = watch(chromium.context, home);
    const page = await open("");
    const findings: string[] = [];
    const paths = pagesOf(site);

    for (const path of paths) {
      await page.goto(home + path);
      for (const theme of ["light", "dark"] as const) {
        await page.evaluate((value) => {
          document.documentElement.dataset.theme = value;
        }, theme);
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 800 });
          const wide = await overflow(page);
          const found = [...(await seriousFindings(page)), ...(wide > 0 ? [`${wide} px too wide`] : [])];
          findings.push(...found.map((finding) => `${path} ${theme} ${width}: ${finding}`));
        }
      }
    }

    expect(findings).toEqual([]);
    expect(seen).toEqual({ elsewhere: [], errors: [] });
    expect(paths.length).toBeGreaterThan(80);
  });

  test.each(["light", "dark"] as const)("follows the system's wish for %s", async (colorScheme) => {
    const page = await open("");
    await page.emulateMedia({ colorScheme });
    await page.reload();

    expect(await isDark(page)).toBe(colorScheme === "dark");
  });

  test.each([
    ["every page", "**/*.html", / href="([^"]*)"/g, 1_000],
    ["the Markdown of every page", "**/*.md", /\]\(([^)\s]+)\)/g, 300],
    ["llms.txt", "llms.txt", /\]\(([^)\s]+)\)/g, 20],
  ] as const)("%s has no dead link and no dead anchor", (_what, files, pattern, atLeast) => {
    const links = globSync(files, { cwd: site }).flatMap((file) => {
      const text = readFileSync(site + file, "utf8").replace(/^```.*?^```/gms, "");
      const from = file.replace(/index\.html$/, "");
      return [...text.matchAll(pattern)].map(
        ([, link = ""]) => [from, link.replaceAll("&amp;", "&")] as const,
      );
    });

    const broken = links
      .map(([from, link]) => [from, link, whyBroken(site, BASE, from, link)])
      .filter(([, , why]) => why);

    expect(broken).toEqual([]);
    expect(links.length).toBeGreaterThan(atLeast);
  });

  test("finds what is searched for, without a network", async () => {
    const page = await open("");

    await page.locator("button[data-open-modal]").click();
    await page.locator("#starlight__search input").fill("RateLimitError");

    const first = page.locator("#starlight__search .pagefind-ui__result-link").first();
    await first.waitFor();
    expect(await first.getAttribute("href")).toContain(BASE);
  });

  test("offers each sample of the endpoint under a name of its own, and shows it whole", async () => {
    const page = await open("endpoint/");
    const menu = page.locator("code-samples select");
    const shown: { label: string; text: string }[] = [];

    for (const label of await menu.locator("option").allTextContents()) {
      await menu.selectOption({ label });
      const text = await page.locator("code-samples pre:visible .ec-line").allTextContents();
      shown.push({ label, text: text.map((line) => line.replace(/\n$/, "")).join("\n") });
    }

    expect(shown).toEqual(SAMPLES);
  });

  test("shows on its landing page how the README installs and calls", async () => {
    const readme = readFileSync(`${root}README.md`, "utf8");
    const blocks = ["sh", "ts"].map((lang) =>
      new RegExp(`^\`\`\`${lang}\n(.*?)^\`\`\``, "ms").exec(readme)?.[1]?.trim(),
    );

    const page = await open("");

    const shown = await page.locator("main pre").evaluateAll((all) =>
      all.slice(0, 2).map((pre) => {
        const lines = [...pre.querySelectorAll(".ec-line")].map((line) => line.textContent ?? "");
        return lines.map((line) => line.replace(/\n$/, "")).join("\n");
      }),
    );
    expect(shown).toEqual(blocks);
  });

  test("has an llms.txt in the form of llmstxt.org", () => {
    const text = readFileSync(`${site}llms.txt`, "utf8");

    expect(text).toMatch(/^# complycube-tokens\n\n> .+\n\n/);
    expect(text.match(/^#{1,6} .+/gm)).toEqual([
      "# complycube-tokens",
      "## Docs",
      "## Reference",
      "## Optional",
    ]);
    expect(text.slice(text.indexOf("\n## ")).match(/^(?!## |- \[[^\]]+\]\([^)]+\): |$).+/gm)).toBeNull();
  });

  test("has a Markdown sibling of every page, with its title, its text and its code", () => {
    for (const path of pagesOf(site)) {
      const html = readFileSync(`${site}${path}index.html`, "utf8");
      const markdown = readFileSync(site + (path === "" ? "index.md" : path.replace(/\/$/, ".md")), "utf8");

      expect(markdown, path).toMatch(/^# \S.*\n\n\S/);
      const blocks = html.match(/<pre data-language/g)?.length ?? 0;
      const fences = (markdown.match(/^\s*```/gm)?.length ?? 0) / 2;
      expect(fences, path).toBe(path === "" ? blocks - 2 : blocks); // The landing page's first two stand in llms.txt.
    }
  });
});
