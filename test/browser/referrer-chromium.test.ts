import { fileURLToPath } from "node:url";
import fc from "fast-check";
import type { Page, Worker } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isReferrerPattern, matchesReferrer } from "../../src/referrer/index.ts";
import { type Chromium, findChromium, launchChromium } from "../support/chromium.ts";

const executablePath = findChromium("match patterns against Chromium");
const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

const TABS = 60;
const ROUNDS = 4;
const PATTERNS_A_ROUND = 400;
const MIN_PAIRS = 20_000;

/**
 * Patterns that Chromium takes and we refuse. No other difference is accepted. But for the schemes, each claims that
 * no http or https URL can match, which is held against the tabs that are open.
 */
const REFUSED_ON_PURPOSE = [
  { reason: "no page with another scheme sends a Referer", example: "ftp://example.com/*" },
  { reason: "no URL has that character in its path", example: "https://example.com/#/verify/*" },
  { reason: "no URL writes a port that way", example: "https://example.com:0443/*" },
  {
    reason: "no name has a space, and other URL parsers than Chromium's refuse it",
    example: "https://a b/*",
  },
] as const;

/**
 * URLs that Chromium's parser reads in another way than the URL Standard's, and so Node's. Not generated: the code
 * points that Chromium never unescapes (bidi marks, odd spaces, padlocks), which match unescaped here.
 */
const READ_DIFFERENTLY = [
  { reason: "Chromium takes a space in a host", applies: (url: string) => /\/\/[^/?#]* /.test(url) },
];

const refusedOnPurpose = (pattern: string): (typeof REFUSED_ON_PURPOSE)[number]["reason"] | undefined => {
  const [, scheme, authority = "", path = ""] = /^(.*?):\/\/([^/]*)(.*)$/s.exec(pattern) ?? [];
  if (scheme === undefined || !/^(https?|\*)$/.test(scheme)) return REFUSED_ON_PURPOSE[0].reason;
  if (/[^!-\uffff]|[#\x7f]/.test(path)) return REFUSED_ON_PURPOSE[1].reason;
  if (/:([+-]\d+|0\d+)$/.test(authority)) return REFUSED_ON_PURPOSE[2].reason;
  if (authority.includes(" ")) return REFUSED_ON_PURPOSE[3].reason;
  return undefined;
};

const NAMES = [
  "example.com",
  "www.example.com",
  "a.b.example.com",
  "EXAMPLE.com",
  "example.com.",
  "www.example.com.",
  "notexample.com",
  "example.com..",
  "example.org",
  "com",
  "localhost",
  "app.localhost",
  "dev.example.com",
  "exa-mple.com",
  "exa_mple.com",
  "-example.com",
  "bücher.example",
  "xn--bcher-kva.example",
  "BÜCHER.example",
  "faß.de",
  "xn--fa-hia.de",
  "пример.рф",
  "ｅｘａｍｐｌｅ.com",
  "example。com",
  "ex%61mple.com",
  "a..b",
  ".example.com",
  "1.example.com",
  "example.1a",
  "127.0.0.1",
  "127.1",
  "127.0.0.1.",
  "0x7f.0.0.1",
  "0177.0.0.1",
  "2130706433",
  "10.0.0.1",
  "1.127.0.0.1a",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[0000::1]",
  "[::ffff:127.0.0.1]",
  "[2001:DB8::1]",
  "[::ffff:7f00:1]",
];

const ODD_HOSTS = [
  "",
  ".",
  "..",
  "*",
  "*.",
  "*..",
  "*...",
  "**",
  "*.*",
  "*.*.com",
  "*example.com",
  "www.*.com",
  "example.*",
  "exa*mple.com",
  "*.com",
  "*.com.",
  "*.co.uk",
  "*.1",
  "*.127.0.0.1",
  "*.0.0.1",
  "*.[::1]",
  "*[::1]",
  "*.localhost",
  "*..example.com",
  "256.0.0.1",
  "1.2.3.4.5",
  "0x.1",
  "127.0.0.1..",
  "09.0.0.1",
  "a.9",
  "[::1",
  "::1",
  "[]",
  "[::g]",
  "[::1]x",
  "[:1]",
  "x[::1]",
  "[::1%25eth0]",
  "user@example.com",
  "user:password@example.com",
  "@",
  "exa mple.com",
  "exa\tmple.com",
  "exa\nmple.com",
  "exa\u0000mple.com",
  "exa\u007fmple.com",
  "exa<mple.com",
  "exa>mple.com",
  "exa|mple.com",
  "exa^mple.com",
  'exa"mple.com',
  "exa`mple.com",
  "exa{mple}.com",
  "exa%mple.com",
  "exa%2Fmple.com",
  "exa%2emple.com",
  "exa%00mple.com",
  "exa?mple.com",
  "exa#mple.com",
  "exa\\mple.com",
  "exa'mple.com",
  "exa!mple.com",
  "exa$mple.com",
  "exa&mple.com",
  "exa(mple).com",
  "exa+mple.com",
  "exa,mple.com",
  "exa;mple.com",
  "exa=mple.com",
  "exa~mple.com",
  "xn--",
  "xn--a",
  "xn--zzzzzz.com",
  "\u00ad",
  "exam\u00adple.com",
  "exam\u200dple.com",
  "a".repeat(64),
  `${"a".repeat(63)}.com`,
  "a.".repeat(130),
  "✓.example.com",
  "example\uff0ecom",
  "*\u3002com",
  "*.com\u3002",
];

const anyOf = (...values: string[]) => fc.constantFrom(...values);
const name = anyOf(...NAMES);
const port = anyOf(":80", ":443", ":3000", ":3005", ":8080", ":8443", ":65535");
const pathText = fc
  .array(
    anyOf(
      "/",
      "a",
      "b",
      "A",
      "ab",
      "verify",
      "step",
      ".",
      "-",
      "~",
      "%41",
      "%2f",
      "%2d",
      "%7e",
      "%c3%a9",
      "%E9",
      '"',
      "é",
      "|",
      "'",
      "(",
      ";",
      "@",
      "*",
    ),
    { maxLength: 6 },
  )
  .map((parts) => `/${parts.join("")}`);
const queryText = fc
  .array(anyOf("x=1", "&", "?", "a", "b", "/", "\\", "'", "|", "é", "[", "*"), { maxLength: 4 })
  .map((parts) => `?${parts.join("")}`);

const url = fc
  .record({
    scheme: anyOf("http", "https", "https"),
    credentials: fc.oneof(
      { weight: 9, arbitrary: fc.constant("") },
      { weight: 1, arbitrary: anyOf("user@", "user:pw@") },
    ),
    name: fc.oneof({ weight: 7, arbitrary: name }, { weight: 1, arbitrary: anyOf(...ODD_HOSTS) }),
    port: fc.oneof({ weight: 2, arbitrary: fc.constant("") }, port),
    path: fc.oneof(anyOf("", "/", "/verify", "/verify/", "/verify/step", "/a/../b", "/a\\b"), pathText),
    query: fc.oneof({ weight: 2, arbitrary: fc.constant("") }, queryText),
    fragment: anyOf("", "", "#", "#top", "#/verify?x"),
  })
  .map(
    (part) =>
      `${part.scheme}://${part.credentials}${part.name}${part.port}${part.path}${part.query}${part.fragment}`,
  );

const globText = fc
  .array(
    anyOf(
      "/",
      "a",
      "b",
      "A",
      "ab",
      "verify",
      "step",
      "*",
      "*",
      "?",
      "x=1",
      "&",
      ".",
      "~",
      "%41",
      "%2f",
      "%C3%A9",
      "\\",
      "|",
      "'",
    ),
    { maxLength: 7 },
  )
  .map((parts) => `/${parts.join("")}`);

const pattern = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .record({
        scheme: fc.oneof(
          { weight: 12, arbitrary: anyOf("*", "http", "https") },
          anyOf("HTTPS", "ftp", "file", "ws", "", "http*", " https"),
        ),
        separator: fc.oneof(
          { weight: 20, arbitrary: fc.constant("://") },
          anyOf(":", ":/", "", "//", ":///"),
        ),
        wildcard: anyOf("", "", "*."),
        name: fc.oneof(
          { weight: 6, arbitrary: name },
          { weight: 2, arbitrary: fc.constant("*") },
          { weight: 2, arbitrary: anyOf(...ODD_HOSTS) },
        ),
        port: fc.oneof(
          { weight: 8, arbitrary: fc.constant("") },
          { weight: 5, arbitrary: port },
          {
            weight: 2,
            arbitrary: anyOf(
              ":*",
              ":",
              ":0",
              ":080",
              ":0443",
              ":+80",
              ":-0",
              ":65536",
              ":99999999999",
              ":a",
              ":8 0",
              ": 80",
              ":80:80",
              ":٣",
              ":1e3",
              ":0x50",
            ),
          },
        ),
        path: fc.oneof(
          { weight: 6, arbitrary: fc.constant("/*") },
          { weight: 6, arbitrary: globText },
          {
            weight: 4,
            arbitrary: anyOf(
              "/",
              "/verify",
              "/verify/*",
              "/verify*",
              "/*step",
              "/*?*",
              "/?*",
              "/**",
              "/*/*",
              "/*a*b*",
            ),
          },
          {
            weight: 1,
            arbitrary: anyOf(
              "",
              "/é*",
              "/%c3%a9*",
              "/*%C3%A9*",
              "/%76erify",
              "/*%2D*",
              "/*%2f*",
              "/%e9",
              "/*%619*",
              "/*a9*",
              '/*"*',
              "/a b",
              "/#/verify/*",
              "/*#top",
              "/*\n",
              "/* ",
              '/"',
              "/<a>",
              "*",
              "/\u007f*",
            ),
          },
        ),
      })
      .map((part) => `${part.scheme}${part.separator}${part.wildcard}${part.name}${part.port}${part.path}`),
  },
  {
    weight: 1,
    arbitrary: anyOf(
      "<all_urls>",
      "*",
      "",
      "*://*/*",
      "*:*",
      "https://*",
      "about:blank",
      "data:*",
      "<ALL_URLS>",
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }).map((text) => `https://${text}/*`) },
);

/** What chance alone would seldom bring together. */
const CLOSE_CALLS = {
  urls: [
    "https://example.com/verify",
    "https://example.com/verify?x=1",
    "https://example.com/verify/?",
    "https://example.com/%c3%a9b",
    "https://example.com/aba",
    "https://.example.com/verify",
    "https://127.0.0.1/verify",
    "https://example.com.../verify",
  ],
  patterns: [
    "https://example.com/verify/*",
    "https://example.com/verify?x=1/*",
    "https://example.com/verify/?/*",
    "https://example.com/*a9*",
    "https://example.com/ab*ba",
    "https://*.example.com/verify",
    "https://*.0.0.1/*",
    "https://*.1/*",
    "https://*.127.0.0.1/*",
    "https://example.com./verify",
    "https://*.../verify",
  ],
};

/** What Chromium says of each pattern: the places of the tabs that match, or that it is not valid. */
type Verdict = number[] | "invalid";

const askChromium = (extension: Worker, patterns: string[]): Promise<Verdict[]> =>
  extension.evaluate(async (asked) => {
    type Tab = { id: number; index: number };
    const { tabs } = (
      globalThis as unknown as { chrome: { tabs: { query(by: { url: string }): Promise<Tab[]> } } }
    ).chrome;
    return Promise.all(
      asked.map((one) =>
        tabs.query({ url: one }).then(
          (found) => found.map((tab) => tab.index),
          (error: Error): "invalid" => {
            if (error.message.startsWith("Invalid url pattern")) return "invalid";
            throw error;
          },
        ),
      ),
    );
  }, patterns);

describe.skipIf(!executablePath)("match patterns against Chromium", () => {
  let browser: Chromium;
  let extension: Worker;
  let pages: Page[];

  beforeAll(async () => {
    console.log(`fast-check seed: ${seed} (set FC_SEED to repeat)`);
    browser = await launchChromium(
      executablePath as string,
      fileURLToPath(new URL("extension", import.meta.url)),
    );
    const { context } = browser;
    extension = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
    await context.route("**/*", (route) =>
      route.fulfill({ contentType: "text/html", body: "<!doctype html>" }),
    );
    while (context.pages().length < TABS) await context.newPage();
    pages = context.pages();
  });

  afterAll(() => browser?.close());

  /** Opens a URL in each tab; a URL that Chromium takes for invalid gives `undefined`. */
  const open = (urls: string[]) =>
    Promise.all(
      pages.map(async (page, i) => {
        try {
          await page.goto("about:blank");
          await page.goto(urls[i] as string, { waitUntil: "commit" });
          return urls[i];
        } catch (error) {
          if (/invalid URL/i.test(String(error))) return undefined;
          throw error;
        }
      }),
    );

  test(`agrees about ${MIN_PAIRS} pairs of pattern and URL, and about which patterns are valid`, async () => {
    const urls = [...CLOSE_CALLS.urls, ...fc.sample(url, { seed, numRuns: TABS * ROUNDS })];
    const patterns = [
      ...REFUSED_ON_PURPOSE.map(({ example }) => example),
      ...ODD_HOSTS.map((host) => `*://${host}/*`),
      ...fc.sample(pattern, { seed: seed + 1, numRuns: PATTERNS_A_ROUND * ROUNDS }),
    ];
    const differences = new Set<string>();
    const reasonsSeen = new Set<string>();
    let pairs = 0;
    let matches = 0;

    for (let round = 0; round < ROUNDS; round++) {
      const opened = await open(urls.slice(round * TABS));
      const share = patterns.filter((_, i) => i % ROUNDS === round);
      if (round === 0) share.push(...CLOSE_CALLS.patterns);
      const verdicts = await askChromium(extension, share);
      for (const [i, one] of share.entries()) {
        const verdict = verdicts[i];
        if (verdict === undefined) throw new Error("Chromium did not answer");
        const accepted = isReferrerPattern(one);
        if (verdict === "invalid") {
          if (accepted) differences.add(`${JSON.stringify(one)}: invalid in Chromium`);
          continue;
        }
        const reason = accepted ? undefined : refusedOnPurpose(one);
        if (!accepted && !reason) differences.add(`${JSON.stringify(one)}: valid in Chromium`);
        if (reason) reasonsSeen.add(reason);
        for (const [tab, raw] of opened.entries()) {
          if (raw === undefined || READ_DIFFERENTLY.some(({ applies }) => applies(raw))) continue;
          pairs++;
          const expected = verdict.includes(tab);
          const byScheme = reason === REFUSED_ON_PURPOSE[0].reason;
          if (expected) matches++;
          if (!byScheme && matchesReferrer(one, raw) !== expected) {
            differences.add(`${JSON.stringify(one)} and ${JSON.stringify(raw)}: ${expected} in Chromium`);
          }
        }
      }
    }

    console.log(
      `${pairs} pairs, ${matches} of which match; ${reasonsSeen.size} kinds of difference, all listed`,
    );
    expect([...differences]).toEqual([]);
    expect(pairs).toBeGreaterThan(MIN_PAIRS);
    expect(matches).toBeGreaterThan(pairs / 100);
    expect([...reasonsSeen].sort()).toEqual(REFUSED_ON_PURPOSE.map(({ reason }) => reason).sort());
  });
});
