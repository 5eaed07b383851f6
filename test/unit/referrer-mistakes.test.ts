import { describe, expect, test } from "vitest";
import { parseReferrerPattern, type ReferrerPatternError } from "../../src/referrer/index.ts";

type Mistake = [text: string, reason: ReferrerPatternError["reason"], proposal: string | undefined];

/** What people write for a pattern, with the reason and the proposal that a colleague would give. */
const MISTAKES: Record<string, Mistake[]> = {
  "a slip in the scheme": [
    ["https//example.com/*", "missing-scheme-separator", "https://example.com/*"],
    ["https:/example.com/*", "missing-scheme-separator", "https://example.com/*"],
    ["https:example.com/*", "missing-scheme-separator", "https://example.com/*"],
    ["https;//example.com/*", "missing-scheme-separator", "https://example.com/*"],
    ["//example.com/*", "missing-scheme-separator", "https://example.com/*"],
    ["://example.com/*", "scheme-not-allowed", "https://example.com/*"],
    ["htps://example.com/*", "scheme-not-allowed", "https://example.com/*"],
    ["htttps://example.com/*", "scheme-not-allowed", "https://example.com/*"],
    ["HTTPS://Example.com/*", "scheme-not-allowed", "https://example.com/*"],
    ["http(s)://example.com/*", "scheme-not-allowed", "https://example.com/*"],
    ["https?://example.com/*", "scheme-not-allowed", "https://example.com/*"],
    ["http*://*.example.com/*", "scheme-not-allowed", "https://*.example.com/*"],
    ["https://https://example.com/*", "invalid-port", "https://example.com/*"],
    ["https:///example.com/*", "empty-host", "https://example.com/*"],
  ],
  "no scheme": [
    ["example.com", "missing-scheme-separator", "https://example.com/*"],
    ["www.example.com/*", "missing-scheme-separator", "https://www.example.com/*"],
    ["*.example.com", "missing-scheme-separator", "https://*.example.com/*"],
    ["*example.com", "missing-scheme-separator", "https://*.example.com/*"],
    ["Example.COM:8080", "missing-scheme-separator", "https://example.com:8080/*"],
    ["bücher.example:8443", "missing-scheme-separator", "https://xn--bcher-kva.example:8443/*"],
    ["me@example.com", "missing-scheme-separator", "https://example.com/*"],
  ],
  "a machine of one's own": [
    ["localhost", "missing-scheme-separator", "http://localhost/*"],
    ["localhost:3000", "missing-scheme-separator", "http://localhost:3000/*"],
    ["localhost:3000/*", "missing-scheme-separator", "http://localhost:3000/*"],
    ["127.0.0.1:3000", "missing-scheme-separator", "http://127.0.0.1:3000/*"],
    ["192.168.1.5:5173", "missing-scheme-separator", "http://192.168.1.5:5173/*"],
    ["app.localhost:3000", "missing-scheme-separator", "http://app.localhost:3000/*"],
    ["http://localhost:3000", "missing-path", "http://localhost:3000/*"],
    ["https://localhost:3000", "missing-path", "https://localhost:3000/*"],
    ["*://localhost:3000/*", "invalid-port", "http://localhost:3000/*"],
    ["https://intranet", "missing-path", "https://intranet/*"],
    ["intranet:8080", "missing-scheme-separator", "https://intranet:8080/*"],
  ],
  "no path, or one that no Referer has": [
    ["https://example.com", "missing-path", "https://example.com/*"],
    ["https://example.com*", "missing-path", "https://example.com/*"],
    ["https://example.com.", "missing-path", "https://example.com/*"],
    ["https://*.example.com", "missing-path", "https://*.example.com/*"],
    ["*://*.example.com", "missing-path", "https://*.example.com/*"],
    ["https://www.example.com/verify/step#top", "unmatchable-path", "https://www.example.com/*"],
    ["https://www.example.com/#/verify", "unmatchable-path", "https://www.example.com/*"],
    ["https://www.example.com/?a,b#top", "unmatchable-path", "https://www.example.com/*"],
    ["www.example.com/verify?x=1", "missing-scheme-separator", "https://www.example.com/*"],
  ],
  "the port": [
    ["https://example.com:3000:80/*", "invalid-port", "https://example.com:3000/*"],
    ["https://example.com:/*", "invalid-port", "https://example.com/*"],
    ["https://example.com:08443/*", "invalid-port", "https://example.com:8443/*"],
    ["https://example.com:99999/*", "invalid-port", "https://example.com/*"],
    ["https://example.com:PORT/*", "invalid-port", "https://example.com/*"],
    ["https://example.com:3000*", "missing-path", "https://example.com:3000/*"],
    ["*://example.com:443/*", "invalid-port", "https://example.com:443/*"],
    ["*://example.com:80/*", "invalid-port", "https://example.com/*"],
    ["https://user:password@example.com/*", "invalid-host", "https://example.com/*"],
  ],
  "quotes and spaces": [
    ['"https://example.com/*"', "quotes", "https://example.com/*"],
    ["'https://example.com/*'", "quotes", "https://example.com/*"],
    ["`https://example.com/*`", "quotes", "https://example.com/*"],
    ["“https://example.com/*”", "quotes", "https://example.com/*"],
    ['["https://example.com/*"]', "quotes", "https://example.com/*"],
    ["<https://example.com/*>", "scheme-not-allowed", "https://example.com/*"],
    ["https://example.com/* ", "whitespace", "https://example.com/*"],
    [" https://example.com/*", "whitespace", "https://example.com/*"],
    ["https://example.com\r\n", "whitespace", "https://example.com/*"],
    ["http:// example.com/*", "whitespace", "http://example.com/*"],
    ["https://example.com /*", "whitespace", "https://example.com/*"],
    ["www .example.com", "whitespace", "https://www.example.com/*"],
    ['" https://example.com/* "', "quotes", "https://example.com/*"],
    ["\ufeffhttps://example.com/*", "whitespace", "https://example.com/*"],
    ["\u200bhttps://example.com/*", "whitespace", "https://example.com/*"],
    ["https://exam ple.com/*", "whitespace", undefined],
  ],
  "several patterns": [
    ["https://a.example/*, https://b.example/*", "several-patterns", "https://a.example/*"],
    ["https://a.example/* https://b.example/*", "several-patterns", "https://a.example/*"],
    ["https://a.example/*\nhttps://b.example/*", "several-patterns", "https://a.example/*"],
    ["https://a.example,https://b.example", "several-patterns", "https://a.example/*"],
    ["https://a.example/*, b.example/*", "several-patterns", "https://a.example/*"],
    ["a.example,b.example", "several-patterns", "https://a.example/*"],
    ["*.a.example, *.b.example", "several-patterns", "https://*.a.example/*"],
    ['["https://a.example/*","https://b.example/*"]', "several-patterns", "https://a.example/*"],
    ["a.example b.example", "whitespace", undefined],
    ["a.example  b.example", "whitespace", undefined],
  ],
  "an IPv6 address": [
    ["https://::1/*", "invalid-ipv6", "https://[::1]/*"],
    ["https://::1:3000/*", "invalid-ipv6", "https://[::1]:3000/*"],
    ["https://2001:db8::1/*", "invalid-ipv6", "https://[2001:db8::1]/*"],
    ["https://[::1/*", "invalid-ipv6", "https://[::1]/*"],
    ["[::1]:3000", "missing-scheme-separator", "http://[::1]:3000/*"],
    ["https://*.[::1]/*", "invalid-ipv6", undefined],
  ],
  "a wildcard": [
    ["https://*example.com/*", "host-wildcard", "https://*.example.com/*"],
    ["https://**.example.com/*", "host-wildcard", "https://*.example.com/*"],
    ["https://*.*.example.com/*", "host-wildcard", "https://*.example.com/*"],
    ["https://www.*.com/*", "host-wildcard", undefined],
    ["https://example.*/*", "host-wildcard", undefined],
    ["https://preview-*.example.com/*", "host-wildcard", undefined],
    ["https://*-preview.example.com/*", "host-wildcard", undefined],
  ],
  "any site": [
    ["*", "missing-scheme-separator", undefined],
    ["*://*", "missing-path", undefined],
    ["https://*", "missing-path", undefined],
    ["https://*.com", "missing-path", undefined],
    ["https://*.com:443", "missing-path", undefined],
    ["https://*.intranet", "missing-path", undefined],
    ["https://*intranet/*", "host-wildcard", undefined],
    ["<ALL_URLS>", "missing-scheme-separator", undefined],
  ],
  "a value that was never filled in": [
    ["", "missing-scheme-separator", undefined],
    ["undefined", "missing-scheme-separator", undefined],
    ["https://undefined", "missing-path", undefined],
    ["https://undefined:3000", "missing-path", undefined],
    ["https://{{host}}", "missing-path", undefined],
    ["https://<your-domain>/*", "invalid-host", undefined],
    ["%HOST%", "missing-scheme-separator", undefined],
    ["intranet", "missing-scheme-separator", undefined],
  ],
  "another kind of page": [
    ["file:///*", "scheme-not-allowed", undefined],
    ["ftp://example.com/*", "scheme-not-allowed", undefined],
    ["wss://example.com/*", "scheme-not-allowed", undefined],
    ["capacitor://localhost", "scheme-not-allowed", undefined],
    ["about:blank", "missing-scheme-separator", undefined],
    ["data:text/html,x", "missing-scheme-separator", undefined],
  ],
};

describe.each(Object.entries(MISTAKES))("%s", (_, mistakes) => {
  test.each(mistakes)("%j is refused because of %s, and %s is proposed", (text, reason, proposal) => {
    const read = () => parseReferrerPattern(text);

    const fix = proposal ?? "https://www.example.com/*";
    const words = proposal === undefined ? "A pattern looks like" : "Use";
    expect(read).toThrow(expect.objectContaining({ name: "ReferrerPatternError", reason }));
    expect(read).toThrow(`). ${words} ${JSON.stringify(fix)}.`);
    expect(parseReferrerPattern(fix).canonical).toBe(fix);
  });
});
