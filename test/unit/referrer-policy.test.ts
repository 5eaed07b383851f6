import { describe, expect, test } from "vitest";
import {
  explainReferrer,
  matchesReferrer,
  type PagePolicy,
  ReferrerPatternError,
  type ReferrerReason,
} from "../../src/referrer/index.ts";

const pageUrl = "https://user:password@www.example.com/verify/step?x=1#top";
const full = "https://www.example.com/verify/step?x=1";
const origin = "https://www.example.com/";

describe("explainReferrer", () => {
  const sent: [PagePolicy | undefined, string | null, string | null, string | null][] = [
    // policy, to another origin, to the same origin, from https to http
    [undefined, origin, full, null],
    ["", origin, full, null],
    ["no-referrer", null, null, null],
    ["no-referrer-when-downgrade", full, full, null],
    ["same-origin", null, full, null],
    ["origin", origin, origin, origin],
    ["strict-origin", origin, origin, null],
    ["origin-when-cross-origin", origin, full, origin],
    ["strict-origin-when-cross-origin", origin, full, null],
    ["unsafe-url", full, full, full],
  ];

  test.each(sent)("knows what is sent under %s", (referrerPolicy, cross, same, downgrade) => {
    const check = { pattern: "https://www.example.com/*", pageUrl, referrerPolicy };

    expect(explainReferrer(check).sent).toBe(cross);
    expect(explainReferrer({ ...check, apiOrigin: "https://www.example.com" }).sent).toBe(same);
    expect(explainReferrer({ ...check, apiOrigin: "http://127.0.0.1:4010" }).sent).toBe(downgrade);
  });

  const best = 'use "https://www.example.com/*"';
  const explained: [ReferrerReason, string, string, PagePolicy, string][] = [
    ["match", "https://www.example.com/*", pageUrl, "", "which the pattern matches."],
    [
      "match",
      "https://www.example.com/verify/*",
      pageUrl,
      "unsafe-url",
      `Safari, and Firefox in strict mode, send only "${origin}": ${best}.`,
    ],
    ["any-site", "*://*/*", pageUrl, "", `a leaked token works anywhere: ${best}.`],
    ["any-site", "https://*.com/*", pageUrl, "", best],
    ["page-sends-none", "<all_urls>", "file:///page.html", "", "serve it over http or https"],
    ["page-sends-none", "<all_urls>", "data:text/html,x", "unsafe-url", "This data: page sends no Referer"],
    ["page-sends-none", "<all_urls>", "about:blank", "", "This about: page sends no Referer"],
    [
      "page-sends-none",
      "<all_urls>",
      "blob:https://www.example.com/1",
      "",
      "This blob: page sends no Referer",
    ],
    ["page-sends-none", "<all_urls>", "capacitor://localhost/", "", "use appId in a mobile app"],
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
      `the path "/verify/*", which never arrives: ${best}.`,
    ],
    ["path-not-sent", "https://www.example.com/verify/*", pageUrl, "origin", "under Referrer-Policy: origin"],
    ["path-differs", "https://www.example.com/other", pageUrl, "unsafe-url", `the path "/other": ${best}.`],
  ];

  test.each(explained)("explains %s for %s on %s under %j", (reason, pattern, url, referrerPolicy, part) => {
    const explanation = explainReferrer({ pattern, pageUrl: url, referrerPolicy });

    expect(explanation.reason).toBe(reason);
    expect(explanation.matches).toBe(reason === "match" || reason === "any-site");
    expect(explanation.advice).toContain(part);
    expect(explanation.advice).toMatch(/^[^\n]*[^.]\.$/);
  });

  test("matches exactly when something is sent and the pattern matches that", () => {
    for (const [, pattern, url, referrerPolicy] of explained) {
      const { matches, sent } = explainReferrer({ pattern, pageUrl: url, referrerPolicy });

      expect(matches).toBe(sent !== null && matchesReferrer(pattern, sent));
    }
  });

  test("explains a downgrade", () => {
    const { reason, sent, advice } = explainReferrer({
      pattern: "https://www.example.com/*",
      pageUrl,
      apiOrigin: "http://127.0.0.1:4010",
    });

    expect(reason).toBe("downgrade");
    expect(sent).toBeNull();
    expect(advice).toContain("call the API over https.");
  });

  test("explains a sandboxed page", () => {
    const { reason, sent, advice } = explainReferrer({ pattern: "<all_urls>", pageUrl, sandboxed: true });

    expect(reason).toBe("page-sends-none");
    expect(sent).toBeNull();
    expect(advice).toContain("add allow-same-origin to its sandbox.");
  });

  test("cuts a URL longer than 4096 characters to its origin", () => {
    const longest = `${origin}verify?x=`.padEnd(4096, "a");
    const check = { pattern: "https://www.example.com/verify*", referrerPolicy: "unsafe-url" as const };

    const whole = explainReferrer({ ...check, pageUrl: `${longest}#top` });
    const cut = explainReferrer({ ...check, pageUrl: `${longest}a` });

    expect(whole.sent).toBe(longest);
    expect(cut.sent).toBe(origin);
    expect(cut.reason).toBe("path-not-sent");
    expect(cut.advice).toContain("of a URL longer than 4096 characters");
  });

  test("throws for a pattern that is not valid", () => {
    expect(() => explainReferrer({ pattern: "www.example.com", pageUrl })).toThrow(ReferrerPatternError);
  });

  test.each([
    [{ referrerPolicy: "none" as PagePolicy }, "referrerPolicy"],
    [{ referrerPolicy: "constructor" as PagePolicy }, "referrerPolicy"],
    [{ pageUrl: "www.example.com" }, "pageUrl"],
    [{ apiOrigin: "api.complycube.com" }, "apiOrigin"],
    [{ apiOrigin: "ftp://api.complycube.com" }, "apiOrigin"],
  ])("throws a TypeError that names what is wrong in %o", (wrong, named) => {
    const check = { pattern: "https://www.example.com/*", pageUrl, ...wrong };

    expect(() => explainReferrer(check)).toThrow(TypeError);
    expect(() => explainReferrer(check)).toThrow(named);
  });
});
