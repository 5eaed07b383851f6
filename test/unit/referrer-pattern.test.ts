import { describe, expect, test } from "vitest";
import {
  isReferrerPattern,
  matchesReferrer,
  parseReferrerPattern,
  ReferrerPatternError,
  type ReferrerPatternErrorReason,
  referrerPatternFor,
} from "../../src/referrer/index.ts";

const errorFor = (pattern: unknown): ReferrerPatternError => {
  try {
    parseReferrerPattern(pattern as string);
  } catch (error) {
    if (error instanceof ReferrerPatternError) return error;
    throw error;
  }
  throw new Error(`${String(pattern)} was accepted`);
};

describe("parseReferrerPattern", () => {
  test.each([
    ["https://www.example.com/*", { scheme: "https", host: "www.example.com", port: "*", path: "/*" }],
    ["http://localhost:3000/", { scheme: "http", host: "localhost", port: "3000", path: "/" }],
    ["*://*.Example.COM:*/a?b=*", { scheme: "*", host: "*.example.com", port: "*", path: "/a?b=*" }],
    ["https://*/*", { scheme: "https", host: "*", port: "*", path: "/*" }],
    ["https://*:8080/*", { scheme: "https", host: "*", port: "8080", path: "/*" }],
    ["https://a.example:65535/", { scheme: "https", host: "a.example", port: "65535", path: "/" }],
    ["https://a.example/*,https://b.example/*", { host: "a.example", path: "/*,https://b.example/*" }],
    ["https://[0:0::1]:8443/*", { scheme: "https", host: "[::1]", port: "8443", path: "/*" }],
    ["https://bücher.example/*", { scheme: "https", host: "xn--bcher-kva.example", port: "*", path: "/*" }],
    ["https://127.1:0/*", { scheme: "https", host: "127.0.0.1", port: "0", path: "/*" }],
    ["<all_urls>", { scheme: "*", host: "*", port: "*", path: "/*" }],
  ])("takes %s apart", (pattern, parts) => {
    const parsed = parseReferrerPattern(pattern);

    expect(parsed).toMatchObject({ ...parts, pattern });
    expect(String(parsed)).toBe(pattern);
  });

  test.each([
    ["https://www.example.com/*", "https://www.example.com/*"],
    ["https://WWW.Example.COM/Verify*", "https://www.example.com/Verify*"],
    ["*://*.BÜCHER.example/*", "*://*.xn--bcher-kva.example/*"],
    ["https://example.com:443/*", "https://example.com:443/*"],
    ["https://Example.com:*/*", "https://example.com:*/*"],
    ["https://127.1/*", "https://127.0.0.1/*"],
    ["http://[0:0::1]:3000/*", "http://[::1]:3000/*"],
    ["https://*/*", "https://*/*"],
    ["<all_urls>", "*://*/*"],
  ])("gives %s the canonical form %s", (pattern, canonical) => {
    const parsed = parseReferrerPattern(pattern);

    expect(parsed.canonical).toBe(canonical);
    expect(parseReferrerPattern(canonical).canonical).toBe(canonical);
  });

  test.each([
    ["https://www.example.com/", "page"],
    ["https://www.example.com/verify?x=1", "page"],
    ["https://www.example.com/*", "origin"],
    ["*://www.example.com:*/verify/*", "origin"],
    ["https://*.127.0.0.1/*", "origin"],
    ["https://*.127.0.0.10/*", "origin"],
    ["https://*.shop.1a.com/*", "site"],
    ["https://*.example.com/*", "site"],
    ["https://*.example.com/verify", "site"],
    ["https://*.localhost/*", "site"],
    ["https://*.localhost./*", "site"],
    ["https://*/verify", "any"],
    ["*://*/*", "any"],
    ["<all_urls>", "any"],
    ["https://*.com/*", "any"],
    ["https://*.com./*", "any"],
    ["https://*.com.../*", "any"],
    ["https://*.xn--p1ai/*", "any"],
    ["https://*.рф/*", "any"],
    ["https://*../*", "any"],
    ["https://*..../*", "any"],
  ])("says that the scope of %s is %s", (pattern, scope) => {
    const parsed = parseReferrerPattern(pattern);

    expect(parsed.scope).toBe(scope);
  });

  test("gives an object that cannot be changed", () => {
    const parsed = parseReferrerPattern("https://www.example.com/*");

    expect(Object.isFrozen(parsed)).toBe(true);
  });

  const refused: [string, ReferrerPatternErrorReason, number][] = [
    ["", "missing-scheme-separator", 0],
    ["www.example.com/*", "missing-scheme-separator", 0],
    ["https:/www.example.com/*", "missing-scheme-separator", 0],
    ["HTTPS://www.example.com/*", "scheme-not-allowed", 0],
    [" https://www.example.com/*", "whitespace", 0],
    ["file:///*", "scheme-not-allowed", 0],
    ["wss://www.example.com/*", "scheme-not-allowed", 0],
    ["https:///*", "empty-host", 8],
    ["https://:80/*", "empty-host", 8],
    ["https://*./*", "empty-host", 10],
    ["https://", "empty-host", 8],
    ["https://*example.com/*", "host-wildcard", 8],
    ["https://www.*.com/*", "host-wildcard", 12],
    ["https://*.*.com/*", "host-wildcard", 10],
    ["https://exa mple.com/*", "whitespace", 11],
    ["https://exa\tmple.com/*", "whitespace", 11],
    ["https://user@example.com/*", "invalid-host", 12],
    ["https://example.com?x/*", "invalid-host", 19],
    ["https://256.0.0.1/*", "invalid-host", 8],
    ["https://exa%2Fmple.com/*", "invalid-host", 8],
    ["https://::1/*", "invalid-ipv6", 8],
    ["https://[::1/*", "invalid-ipv6", 8],
    ["https://[]/*", "invalid-ipv6", 8],
    ["https://[::g]/*", "invalid-ipv6", 8],
    ["https://[::1]x/*", "invalid-ipv6", 8],
    ["https://*.[::1]/*", "invalid-ipv6", 10],
    ["https://example.com:/*", "invalid-port", 20],
    ["https://example.com:65536/*", "invalid-port", 20],
    ["https://example.com:080/*", "invalid-port", 20],
    ["https://example.com:-0/*", "invalid-port", 20],
    ["https://example.com:1e3/*", "invalid-port", 20],
    ["*://example.com:443/*", "invalid-port", 16],
    ["https://example.com", "missing-path", 19],
    ["https://example.com*", "missing-path", 20],
    ["https://example.com/#/verify/*", "unmatchable-path", 20],
    ["https://example.com/*\n", "whitespace", 21],
    ["https://example.com/a b", "whitespace", 21],
    ["https://example.com/a\u0001", "unmatchable-path", 21],
    ["https://example.com:3000:80/*", "invalid-port", 20],
    ['"https://example.com/*"', "quotes", 0],
    ["https://a.example/*, https://b.example/*", "several-patterns", 19],
  ];

  test.each(refused)("refuses %j because of %s", (pattern, reason, index) => {
    const error = errorFor(pattern);

    expect(error.reason).toBe(reason);
    expect(error.index).toBe(index);
  });

  test.each([undefined, null, 1, {}, ["https://www.example.com/*"], Symbol("x")])("refuses %o", (value) => {
    const error = errorFor(value);

    expect(error.reason).toBe("not-a-string");
    expect(isReferrerPattern(value)).toBe(false);
  });
});

describe("ReferrerPatternError", () => {
  test("is a TypeError with a name of its own", () => {
    const error = errorFor("nothing");

    expect(error).toBeInstanceOf(TypeError);
    expect(error.name).toBe("ReferrerPatternError");
  });

  test.each<[unknown, string, string]>([
    [
      undefined,
      'it is not a string; is an environment variable missing? (at index 0, "undefined")',
      'A pattern looks like "https://www.example.com/*"',
    ],
    [
      "'https://a.example/*'",
      `it is in quotes (at index 0, "'https://a.example/*'")`,
      'Use "https://a.example/*"',
    ],
    [
      "a.example,b.example",
      'a token takes one pattern (at index 9, ",b.example")',
      'Use "https://a.example/*"',
    ],
    [
      "https://a.example/* ",
      'it holds a space or invisible character (at index 19, " ")',
      'Use "https://a.example/*"',
    ],
    ["a.example/*", 'there is no "://" (at index 0, "a.example/*")', 'Use "https://a.example/*"'],
    [
      "ftp://a.example/*",
      'the scheme must be "https", "http" or "*" (at index 0, "ftp://a.example/*")',
      'A pattern looks like "https://www.example.com/*"',
    ],
    ["https:///a.example/*", 'the host is empty (at index 8, "/a.example/*")', 'Use "https://a.example/*"'],
    [
      "https://*example.com/*",
      '"*" must be the whole host or a leading "*." (at index 8, "*example.com/*")',
      'Use "https://*.example.com/*"',
    ],
    [
      "https://me@a.example/*",
      'the host is invalid (at index 10, "@a.example/*")',
      'Use "https://a.example/*"',
    ],
    ["https://::1/*", 'an IPv6 address goes in brackets (at index 8, "::1/*")', 'Use "https://[::1]/*"'],
    [
      "https://a.example:65536/*",
      'the port must be one number up to 65535, after "https" or "http" (at index 18, "65536/*")',
      'Use "https://a.example/*"',
    ],
    ["https://a.example", 'there is no path, such as "/*" (at its end)', 'Use "https://a.example/*"'],
    [
      "https://a.example/#",
      'no Referer holds this character (at index 18, "#")',
      'Use "https://a.example/*"',
    ],
  ])("shows of %j the pattern, the problem, the place and what to use", (pattern, problem, fix) => {
    const { message } = errorFor(pattern);

    expect(message).toBe(`Invalid referrer pattern "${pattern}": ${problem}. ${fix}.`);
  });

  test("proposes nothing that is too long to read", () => {
    const host = `${"a".repeat(106)}.com`;

    expect(errorFor(`https://${host}`).message).toContain(`). Use "https://${host}/*".`);
    expect(errorFor(`https://a${host}`).message).toContain("). A pattern looks like ");
  });

  test.each([
    ["http://example.com", "http://example.com/*"],
    ["www.example.com", "https://www.example.com/*"],
    ["localhost:3000", "http://localhost:3000/*"],
    ["//example.com/*", "https://example.com/*"],
    ["https:/example.com/*", "https://example.com/*"],
    ["HTTPS://Example.com/*", "https://example.com/*"],
    ["http(s)://example.com/*", "https://example.com/*"],
    ["*://localhost:3000/*", "http://localhost:3000/*"],
    ["https://*.*.example.com/*", "https://*.example.com/*"],
    ["https://user:password@example.com/*", "https://example.com/*"],
    ["https://example.com:08443/*", "https://example.com:8443/*"],
    ["https://example.com/* ", "https://example.com/*"],
    ["https://example.com/verify/step#top", "https://example.com/*"],
    ["http://[::1]:3000", "http://[::1]:3000/*"],
  ])("proposes for %j %s", (pattern, proposal) => {
    const { message } = errorFor(pattern);

    expect(message).toContain(`). Use "${proposal}".`);
    expect(isReferrerPattern(proposal)).toBe(true);
  });

  test.each(["*", "*://*", "https://*", "https://*.com", "undefined", "file:///*", "https://www.*.com/*"])(
    "proposes nothing for %j, since no pattern for any site is ever proposed",
    (pattern) => {
      const { message } = errorFor(pattern);

      expect(message).toMatch(/ A pattern looks like "https:\/\/www\.example\.com\/\*"\.$/);
    },
  );

  test.each([
    "live_abcdefghijklmnop",
    "test_abcdefghijklmnop",
    "https://live_abcdefghijklmnop",
    "https://user:live_abcdefghijklmnop@example.com/*",
    `https://${"x".repeat(90)}/live_abcdefghijklmnop #`,
    "Bearer live_abcdefghijklmnop",
  ])("does not show the API key in %j", (pattern) => {
    const error = errorFor(pattern);

    expect(`${error.message}${error.stack}${JSON.stringify(error)}`).not.toMatch(/abcd|mnop/);
    expect(error.message).toMatch(/(live|test)_…/);
  });

  test("cuts a long pattern in the message", () => {
    const error = errorFor(`https://${"a.".repeat(50_000)}com`);

    expect(error.message.length).toBeLessThan(500);
    expect(error.index).toBe(100_011);
  });

  test("shows 120 characters of a pattern", () => {
    const text = "x".repeat(120);

    expect(errorFor(text).message).toContain(`pattern "${text}": `);
    expect(errorFor(`${text}x`).message).toContain(`pattern "${text}…": `);
  });
});

describe("isReferrerPattern", () => {
  test.each([
    ["https://www.example.com/*", true],
    ["https://www.example.com", false],
    ["<all_urls>", true],
    ["<ALL_URLS>", false],
  ])("says of %j %s", (pattern, expected) => {
    expect(isReferrerPattern(pattern)).toBe(expected);
  });
});

describe("matchesReferrer", () => {
  test.each([
    ["https://www.example.com/*", "https://www.example.com/"],
    ["https://www.example.com/*", "https://www.example.com"],
    ["https://www.example.com/*", "https://WWW.EXAMPLE.COM/verify?x=1#top"],
    ["https://www.example.com/*", "https://user:password@www.example.com:8443/"],
    ["https://www.example.com:443/*", "https://www.example.com/"],
    ["http://www.example.com:80/*", "http://www.example.com/"],
    ["*://www.example.com/*", "http://www.example.com/"],
    ["https://*.example.com/*", "https://example.com/"],
    ["https://*.example.com/*", "https://a.b.example.com/"],
    ["https://www.example.com/*", "https://www.example.com./"],
    ["https://www.example.com../*", "https://www.example.com/"],
    ["https://bücher.example/*", "https://xn--bcher-kva.example/"],
    ["https://*.127.0.0.1/*", "https://127.0.0.1/"],
    ["https://127.1/*", "https://0x7f000001/"],
    ["http://[::1]/*", "http://[0:0:0:0:0:0:0:1]:3000/"],
    ["https://www.example.com/verify/*", "https://www.example.com/verify"],
    ["https://www.example.com/verify?x=*", "https://www.example.com/verify?x=1"],
    ["https://www.example.com/?", "https://www.example.com/?#top"],
    ["https://www.example.com/*a*b*", "https://www.example.com/xaxbx"],
    ["https://www.example.com/*a*b*", "https://www.example.com/ab"],
    ["https://www.example.com/*.html", "https://www.example.com/verify.html"],
    ["https://www.example.com/é", "https://www.example.com/%c3%a9"],
    ["https://www.example.com/€", "https://www.example.com/%E2%82%AC"],
    ["https://www.example.com/%7Euser", "https://www.example.com/~user"],
    ["https://www.example.com/*a9*", "https://www.example.com/%c3%a9"],
    ["<all_urls>", "http://localhost/"],
  ])("%s matches %s", (pattern, url) => {
    expect(matchesReferrer(pattern, url)).toBe(true);
    expect(matchesReferrer(parseReferrerPattern(pattern), new URL(url))).toBe(true);
  });

  test.each([
    ["https://www.example.com/*", "http://www.example.com/"],
    ["https://www.example.com/*", "https://example.com/"],
    ["https://www.example.com:3000/*", "https://www.example.com:3001/"],
    ["https://www.example.com:443/*", "https://www.example.com:80/"],
    ["https://*.example.com/*", "https://notexample.com/"],
    ["https://*.example.com/*", "https://.example.com/"],
    ["https://*.example.com/*", "https://example.com.evil.test/"],
    ["https://*.0.0.1/*", "https://127.0.0.1/"],
    ["https://www.example.com/verify/*", "https://www.example.com/verify?x=1"],
    ["https://www.example.com/verify", "https://www.example.com/verify?x=1"],
    ["https://www.example.com/verify?x=1/*", "https://www.example.com/verify?x=1"],
    ["https://www.example.com/Verify", "https://www.example.com/verify"],
    ["https://www.example.com/?", "https://www.example.com/"],
    ["https://www.example.com/a?c", "https://www.example.com/abc"],
    ["https://www.example.com/ab*ba", "https://www.example.com/aba"],
    ["https://www.example.com/*a*b*", "https://www.example.com/ba"],
    ["https://www.example.com/*a*a*", "https://www.example.com/xa"],
    ["https://www.example.com/*a*b", "https://www.example.com/b"],
    ["https://www.example.com/%7E%c0%80", "https://www.example.com/~%c0%81"],
    ["https://www.example.com/*top", "https://www.example.com/#top"],
    ["*://*/*", "file:///etc/hosts"],
    ["<all_urls>", "ftp://example.com/"],
    ["<all_urls>", "not a URL"],
    ["www.example.com/*", "https://www.example.com/"],
    ["", ""],
  ])("%s does not match %s", (pattern, url) => {
    expect(matchesReferrer(pattern, url)).toBe(false);
  });

  test("takes linear time for patterns and URLs made to be slow", () => {
    const before = process.cpuUsage();

    matchesReferrer(`https://a/${"*a".repeat(2_000)}*b`, `https://a/${"a".repeat(20_000)}`);
    matchesReferrer("https://*.a/*", `https://${".".repeat(50_000)}a/`);
    isReferrerPattern(`https://${"[:".repeat(50_000)}`);
    for (const part of [" ", "/", "h", "*", "http:", ",a", "a,", "*a", '"', "https://a,"]) {
      errorFor(`a${part.repeat(50_000)}b`);
      errorFor(part.repeat(50_000));
    }

    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(1_000);
  });
});

describe("referrerPatternFor", () => {
  test.each([
    ["https://www.example.com/verify?x=1#top", "https://www.example.com/*"],
    ["https://user:password@www.example.com:443/", "https://www.example.com/*"],
    ["http://localhost:3000", "http://localhost:3000/*"],
    ["http://[::1]:3000/", "http://[::1]:3000/*"],
    ["https://BÜCHER.example", "https://xn--bcher-kva.example/*"],
  ])("gives for %s %s", (url, pattern) => {
    const tightest = referrerPatternFor(url);

    expect(tightest).toBe(pattern);
    expect(matchesReferrer(tightest, `${new URL(url).origin}/`)).toBe(true);
  });

  test.each([
    "file:///x",
    "data:text/html,x",
    "blob:https://example.com/1",
    "example.com",
    "live_abcdefghijklmnop",
  ])("refuses %s", (url) => {
    expect(() => referrerPatternFor(url)).toThrow(TypeError);
    expect(() => referrerPatternFor(url)).toThrow(
      /^url must be a URL such as https:\/\/www\.example\.com, not "/,
    );
    expect(() => referrerPatternFor(url)).not.toThrow(/abcd/);
  });
});
