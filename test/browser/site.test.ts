import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { root } from "../../scripts/root.ts";
import {
  explainReferrer,
  type PagePolicy,
  parseReferrerPattern,
  type ReferrerPatternError,
} from "../../src/referrer/index.ts";
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
const LOOKS = (["light", "dark"] as const).flatMap((theme) => WIDTHS.map((width) => ({ theme, width })));
type Look = (typeof LOOKS)[number];

/** Questions for the checker: a pattern, a page, and perhaps a policy. */
const CHECKS: [pattern: string, page: string, policy?: PagePolicy | undefined][] = [
  ["https://www.example.com/*", "https://www.example.com/verify/1"],
  ["https://www.example.com/verify/*", "https://www.example.com/verify/1"],
  ["https://www.example.com/verify/*", "https://www.example.com/verify/1", "unsafe-url"],
  ["https://www.example.com/*", "https://www.example.com/", "no-referrer"],
  ["https://www.example.com/*", "https://www.example.com/", "same-origin"],
  ["https://www.example.com/*", "https://www.example.com/?x=1#y", "no-referrer-when-downgrade"],
  ["https://www.example.com/", "https://www.example.com/a", "unsafe-url"],
  ["https://www.example.com/*", "https://example.com/"],
  ["https://*.example.com/*", "https://example.com/"],
  ["https://*.example.com/*", "https://app.example.com:8443/"],
  ["https://www.example.com:8443/*", "https://www.example.com/"],
  ["https://www.example.com/*", "http://www.example.com/"],
  ["*://www.example.com/*", "http://www.example.com/"],
  ["http://localhost:3000/*", "http://localhost:3000/"],
  ["https://www.example.org/*", "https://www.example.com/"],
  ["*://*/*", "https://www.example.com/"],
  ["https://bücher.example/*", "https://xn--bcher-kva.example/"],
  ["https://[::1]/*", "https://[::1]/verify"],
  ["https://www.example.com/*", "file:///home/index.html"],
  ["https://www.example.com/*", "about:srcdoc"],
  ["https://www.example.com/*", "https://www.example.com/", "origin"],
];
/** Patterns that are not valid. */
const BROKEN = [
  "www.example.com/*",
  "https://www.*.com/*",
  "https://www.example.com",
  "ftp://example.com/*",
  "",
];

describe.skipIf(!executable)("the site", () => {
  let chromium: Chromium;
  let server: { url: string; close(): Promise<void> };
  let home: string;

  beforeAll(async () => {
    // Without Vitest's own variables, which the generator would take for its own.
    const environment = Object.entries(process.env).filter(
      ([name]) => !/^(BASE_URL|MODE|DEV|PROD|SSR|TEST|NODE_ENV|VITEST.*)$/.test(name),
    );
    execFileSync(process.execPath, ["scripts/docs.ts"], {
      cwd: root,
      env: { ...Object.fromEntries(environment), DOCS_BASE: BASE, DOCS_OUT: site },
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

  /** Every look of every page that was written here; of the API reference, which one template makes, each page in one. */
  test("is accessible and fits on every page, in light and dark, at 360, 768 and 1280 px, and asks no other host", {
    timeout: 600_000,
  }, async () => {
    const seen = watch(chromium.context, home);
    const page = await open("");
    const findings: string[] = [];
    const paths = pagesOf(site);

    for (const [index, path] of paths.entries()) {
      const looks = /^api\/.+\/.+\//.test(path) ? [LOOKS[index % LOOKS.length] as Look] : LOOKS;
      await page.goto(home + path);
      for (const { theme, width } of looks) {
        await page.evaluate((value) => {
          document.documentElement.dataset.theme = value;
        }, theme);
        await page.setViewportSize({ width, height: 800 });
        const found = await seriousFindings(page);
        findings.push(...found.map((finding) => `${path} ${theme} ${width}: ${finding}`));
      }
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 800 });
        const wide = await overflow(page);
        if (wide > 0) findings.push(`${path} ${width}: ${wide} px too wide`);
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

  describe("the referrer checker", () => {
    const answerOf = (page: Page) =>
      page.evaluate(() => {
        const text = (selector: string) =>
          document.querySelector(`referrer-checker ${selector}`)?.textContent;
        const rows = [...document.querySelectorAll("referrer-checker tbody tr")];
        return {
          verdict: text(".verdict"),
          advice: text(".advice"),
          sent: rows.map((row) => row.querySelector("td")?.textContent),
          matches: rows.map((row) => row.querySelector("td:last-child")?.textContent === "yes"),
        };
      });
    const fill = async (page: Page, [pattern, address, policy]: (typeof CHECKS)[number]) => {
      await page.getByLabel("Pattern", { exact: true }).fill(pattern);
      await page.getByLabel("Your page", { exact: true }).fill(address);
      if (policy) await page.getByLabel("Referrer-Policy of your page").selectOption(policy);
    };

    test.each(CHECKS)("answers %s for %s as explainReferrer does %s", async (pattern, pageUrl, policy) => {
      const explained = explainReferrer({ pattern, pageUrl, referrerPolicy: policy });
      const page = await open("checker/");

      await fill(page, [pattern, pageUrl, policy]);

      const answer = await answerOf(page);
      const reason = explained.reason === "match" ? "" : ` (${explained.reason})`;
      expect(answer.verdict).toBe(`${explained.matches ? "Matches" : "Does not match"}${reason}`);
      expect(answer.advice).toBe(explained.advice);
      const nothing = explained.reason === "not-a-web-page" ? "it depends on the browser" : "nothing";
      expect(answer.sent.slice(1)).toEqual(Array(2).fill(explained.sent ?? nothing));
      expect(answer.matches.every(Boolean)).toBe(explained.matches);
    });

    test.each(BROKEN)("says of %j what the library says, and where it is wrong", async (pattern) => {
      const error = problemOf(pattern);
      const page = await open("checker/");

      await fill(page, [pattern, "https://www.example.com/"]);

      expect((await answerOf(page)).advice).toBe(error.message);
      const marked = (await page.locator("referrer-checker mark").textContent())?.replace("\u00a0", "");
      expect(marked).toBe(pattern.slice(error.index));
      expect(await page.getByLabel("Pattern", { exact: true }).getAttribute("aria-invalid")).toBe("true");
      expect(await seriousFindings(page)).toEqual([]);
    });

    test("shows that under unsafe-url Chrome alone sends the whole URL", async () => {
      const page = await open("checker/");

      await fill(page, [
        "https://www.example.com/verify/*",
        "https://www.example.com/verify/1#x",
        "unsafe-url",
      ]);

      const { sent, matches } = await answerOf(page);
      expect(sent).toEqual([
        "https://www.example.com/verify/1",
        "https://www.example.com/",
        "https://www.example.com/",
      ]);
      expect(matches).toEqual([true, false, false]);
    });

    test("mends the pattern by keyboard, and its link leads back to the same answer", async () => {
      const page = await open("checker/");
      await fill(page, ["https://www.example.com/verify/*", "https://www.example.com/verify/1"]);

      await page.getByRole("button", { name: "Use https://www.example.com/*" }).focus();
      await page.keyboard.press("Enter");
      const link = await page.getByRole("link", { name: "Link to this check" }).getAttribute("href");
      const mended = await answerOf(page);
      const again = await open(`checker/${link}`);

      expect(mended.verdict).toBe("Matches");
      expect(await answerOf(again)).toEqual(mended);
    });
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

/** The error of a pattern that is not valid. */
function problemOf(pattern: string): ReferrerPatternError {
  try {
    parseReferrerPattern(pattern);
  } catch (error) {
    return error as ReferrerPatternError;
  }
  throw new Error(`${pattern} is valid.`);
}
