import { describe, expect, test } from "vitest";
import {
  explainReferrer,
  matchesReferrer,
  type PagePolicy,
  parseReferrerPattern,
  ReferrerPatternError,
  type ReferrerReason,
} from "../../src/referrer/index.ts";

const pageUrl = "https://user:password@www.example.com/verify/step?x=1#top";
const whole = "https://www.example.com/verify/step?x=1";
const origin = "https://www.example.com/";

function thrownBy(run: () => unknown): Error & { argument?: string; problem?: string } {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("Nothing was thrown.");
}

describe("explainReferrer", () => {
  test.each<[PagePolicy | undefined, string | null]>([
    [undefined, origin],
    ["", origin],
    ["no-referrer", null],
    ["no-referrer-when-downgrade", origin],
    ["same-origin", null],
    ["origin", origin],
    ["strict-origin", origin],
    ["origin-when-cross-origin", origin],
    ["strict-origin-when-cross-origin", origin],
    ["unsafe-url", origin],
  ])("knows what every browser sends under %s", (referrerPolicy, sent) => {
    const explanation = explainReferrer({ pattern: "https://www.example.com/*", pageUrl, referrerPolicy });

    expect(explanation.sent).toBe(sent);
    expect(explanation.matches).toBe(sent !== null);
  });

  const best = 'use "https://www.example.com/*"';
  const explained: [ReferrerReason, string, string, PagePolicy, string][] = [
    ["match", "https://www.example.com/*", pageUrl, "origin", "which the pattern matches."],
    [
      "match",
      "https://www.example.com/*",
      pageUrl,
      "",
      "in another site's iframe it must set the policy itself.",
    ],
    [
      "match",
      "https://www.example.com/*",
      pageUrl,
      "unsafe-url",
      "(Chrome the whole URL), which the pattern matches.",
    ],
    ["match", "https://www.example.com/", pageUrl, "origin", "which the pattern matches."],
    ["any-site", "*://*/*", pageUrl, "", `a leaked token works anywhere: ${best}.`],
    ["any-site", "https://*.com/*", pageUrl, "", best],
    [
      "not-a-web-page",
      "<all_urls>",
      "file:///page.html",
      "",
      "a file: page in every browser: run the Web SDK in an https page",
    ],
    ["not-a-web-page", "<all_urls>", "data:text/html,x", "unsafe-url", "a data: page"],
    ["not-a-web-page", "<all_urls>", "about:blank", "", "an https page and check that one"],
    ["not-a-web-page", "<all_urls>", "about:srcdoc", "", "a sandboxed iframe needs allow-same-origin"],
    ["not-a-web-page", "<all_urls>", "blob:https://www.example.com/1", "", "a blob: page"],
    ["not-a-web-page", "<all_urls>", "capacitor://localhost/", "", "a mobile app appId"],
    ["policy-sends-none", "<all_urls>", pageUrl, "no-referrer", "set it to strict-origin-when-cross-origin"],
    ["policy-sends-none", "<all_urls>", pageUrl, "same-origin", "set it to strict-origin-when-cross-origin"],
    ["www-differs", "https://example.com/*", pageUrl, "", `${best}, or "https://*.example.com/*" for both.`],
    [
      "www-differs",
      "https://www.example.com/*",
      "https://example.com:8443/",
      "",
      '"https://*.example.com:8443/*" for both.',
    ],
    ["host-differs", "https://app.example.com/*", pageUrl, "", `the host "app.example.com": ${best}.`],
    ["host-differs", "https://awww.example.com/*", "https://aexample.com/", "", "awww.example.com"],
    ["host-differs", "http://localhost/*", "http://[::1]:3000/", "", 'use "http://[::1]:3000/*".'],
    ["scheme-differs", "http://www.example.com/*", pageUrl, "", `the scheme "http": ${best}.`],
    [
      "port-differs",
      "http://localhost:3000/*",
      "http://localhost:3005/",
      "",
      'use "http://localhost:3005/*".',
    ],
    [
      "path-not-sent",
      "https://www.example.com/verify/*",
      pageUrl,
      "",
      `the path "/verify/*", which does not arrive: ${best}.`,
    ],
    [
      "path-not-sent",
      "https://www.example.com/other",
      pageUrl,
      "unsafe-url",
      `"/other", which does not arrive: ${best}.`,
    ],
    [
      "only-in-chrome",
      "https://www.example.com/verify/*",
      pageUrl,
      "unsafe-url",
      `which only Chrome sends: ${best}.`,
    ],
    ["only-in-chrome", whole, pageUrl, "no-referrer-when-downgrade", best],
    [
      "path-differs",
      "https://www.example.com/",
      pageUrl,
      "unsafe-url",
      `(Chrome the whole URL), but the pattern is for the path "/": ${best}.`,
    ],
  ];

  test.each(explained)("explains %s for %s on %s under %j", (reason, pattern, url, referrerPolicy, part) => {
    const explanation = explainReferrer({ pattern, pageUrl: url, referrerPolicy });

    expect(explanation.reason).toBe(reason);
    expect(explanation.matches).toBe(reason === "match" || reason === "any-site");
    expect(explanation.advice).toContain(part);
    expect(explanation.advice).toMatch(/^[^\n]*[^.]\.$/);
  });

  test("matches only where the pattern matches what Firefox and Safari send, and what Chrome sends", () => {
    for (const [, pattern, url, referrerPolicy] of explained) {
      const { matches, sent } = explainReferrer({ pattern, pageUrl: url, referrerPolicy });

      const chromeSendsMore = ["unsafe-url", "no-referrer-when-downgrade"].includes(referrerPolicy);
      const inChrome = sent !== null && chromeSendsMore ? whole : sent;
      const all = [sent, inChrome].every((referer) => referer !== null && matchesReferrer(pattern, referer));
      expect(matches).toBe(all);
    }
  });

  test("proposes in its advice a pattern that works", () => {
    for (const [, , url, referrerPolicy] of explained) {
      for (const [, pattern] of explained) {
        const { advice } = explainReferrer({ pattern, pageUrl: url, referrerPolicy });

        const proposal = /use ("[^"]+")/.exec(advice)?.[1];
        if (proposal === undefined) continue;
        const again = explainReferrer({ pattern: JSON.parse(proposal), pageUrl: url, referrerPolicy });
        expect(again.reason).toBe("match");
      }
    }
  });

  test.each([
    ["a|b", "a%7Cb"],
    ["a^b", "a%5Eb"],
    ["é", "%C3%A9"],
    ["é", "é"],
    ["%41", "A"],
  ])("takes a page at %s for the path %s that Chrome sends", (path, written) => {
    const pattern = `https://www.example.com/${written}*`;

    const explanation = explainReferrer({
      pattern,
      pageUrl: `https://www.example.com/${path}`,
      referrerPolicy: "unsafe-url",
    });

    expect(explanation.reason).toBe("only-in-chrome");
    expect(explanation.sent).toBe(origin);
  });

  test("knows that Chrome cuts a URL longer than 4096 characters to its origin", () => {
    const longest = `${origin}verify?x=`.padEnd(4096, "a");
    const check = { pattern: "https://www.example.com/verify*", referrerPolicy: "unsafe-url" as const };

    const sentWhole = explainReferrer({ ...check, pageUrl: `${longest}#top` });
    const cut = explainReferrer({ ...check, pageUrl: `${longest}a` });

    expect(sentWhole.reason).toBe("only-in-chrome");
    expect(cut.reason).toBe("path-not-sent");
    expect(cut.sent).toBe(origin);
  });

  test("takes a pattern that is already taken apart", () => {
    const pattern = parseReferrerPattern("https://www.example.com/verify/*");

    expect(explainReferrer({ pattern, pageUrl })).toEqual(
      explainReferrer({ pattern: "https://www.example.com/verify/*", pageUrl }),
    );
  });

  test.each<[PagePolicy, string]>([
    ["origin", 'The page sends "https://www.example.com/", which the pattern matches.'],
    [
      "unsafe-url",
      'The page sends "https://www.example.com/" (Chrome the whole URL), which the pattern matches.',
    ],
  ])("says in one sentence what a page sends under %s", (referrerPolicy, advice) => {
    const explanation = explainReferrer({ pattern: "https://www.example.com/*", pageUrl, referrerPolicy });

    expect(explanation.advice).toBe(advice);
  });

  test("throws for a pattern that is not valid", () => {
    expect(() => explainReferrer({ pattern: "www.example.com", pageUrl })).toThrow(ReferrerPatternError);
  });

  test.each([
    [
      { referrerPolicy: "none" as PagePolicy },
      "referrerPolicy",
      /^must be one of no-referrer, .*, not "none"$/,
    ],
    [{ referrerPolicy: "constructor" as PagePolicy }, "referrerPolicy", /not "constructor"$/],
    [
      { pageUrl: "www.example.com" },
      "pageUrl",
      /^must be a URL such as https:\/\/www\.example\.com, not "www\.example\.com"$/,
    ],
  ])("throws a TypeError that names what is wrong in %o", (wrong, argument, problem) => {
    const check = { pattern: "https://www.example.com/*", pageUrl, ...wrong };

    const error = thrownBy(() => explainReferrer(check));

    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ argument, problem: expect.stringMatching(problem) });
    expect(error.message).toBe(`${error.argument} ${error.problem}`);
  });
});
