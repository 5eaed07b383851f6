import type { ReferrerPatternErrorReason } from "./error.ts";
import { guessPattern, ReferrerPatternError } from "./error.ts";
import { attempt, isWeb, parseUrl, target } from "./url.ts";

/** How many pages a pattern lets a token be used from. */
export type ReferrerScope =
  /** One path on one host: the path holds no `*`. Not enough under the browser's default policy unless it is `/`. */
  | "page"
  /** One host, on any port unless the pattern names one. */
  | "origin"
  /** A host and all its subdomains. It may still be a public suffix such as `co.uk`, which takes a list to know. */
  | "site"
  /** Any host, or any host under a top-level domain: a token that leaks works on an attacker's page. */
  | "any";

/**
 * A Chrome match pattern taken apart. Frozen.
 *
 * @see https://developer.chrome.com/docs/extensions/develop/concepts/match-patterns
 */
export interface ReferrerPattern {
  /** The text as it was given. */
  readonly pattern: string;
  /** `*` stands for `http` and `https`. */
  readonly scheme: "http" | "https" | "*";
  /** Canonical, as in a URL: lower case, punycode, IPv6 in brackets. `*` is any host; `*.` covers subdomains too. */
  readonly host: string;
  /** Decimal digits, or `*` for any port, which is also what a pattern without a port means. */
  readonly port: string;
  /** Starts with `/`; compared with path and query. `*` stands for any run of characters. */
  readonly path: string;
  /** How many pages it covers. */
  readonly scope: ReferrerScope;
  /** The text as it was given. */
  toString(): string;
}

// Chrome drops final dots from both sides, so `*..` is any host too. Only a run's first dot starts a match, which
// keeps the search linear.
const FINAL_DOTS = /(?<!\.)\.+$/;
const baseOf = (host: string) => host.replace(/^\*\.?/, "").replace(FINAL_DOTS, "");

const scopeOf = (host: string, path: string): ReferrerScope => {
  const base = baseOf(host);
  // Not an IP address, which has no subdomains.
  if (host[0] === "*" && !/\.\d+$/.test(base)) {
    // Names under localhost never leave the machine.
    return base.includes(".") || base === "localhost" ? "site" : "any";
  }
  return path.includes("*") ? "origin" : "page";
};

// Scheme, `*` or `*.`, the rest of the host, port, path: matches whatever has a `://`.
const PARTS = /^(.*?):\/\/(\*\.|\*(?=[:/]|$))?(\[[^\]/]*\]|[^:/]*)(?::([^/]*))?(\/.*)?$/s;

type Problem = [reason: ReferrerPatternErrorReason, index: number];

/** Parses without throwing. */
const analyse = (text: string): ReferrerPattern | Problem => {
  if (typeof text !== "string") return ["not-a-string", 0];
  const found = PARTS.exec(text === "<all_urls>" ? "*://*/*" : text);
  if (!found) return ["missing-scheme-separator", 0];
  const [, scheme = "", wildcard = "", name = "", port = "*", path = ""] = found;
  const start = scheme.length + 3 + wildcard.length;

  if (!/^(https?|\*)$/.test(scheme)) return ["scheme-not-allowed", 0];
  const ipv6 = name[0] === "[";
  if (ipv6 ? wildcard || !name.endsWith("]") : /[[:]/.test(name + port)) return ["invalid-ipv6", start];
  if (!name && wildcard !== "*") return ["empty-host", start];
  if (!path) return ["missing-path", text.length];
  // From 0 to 65535, and with no sign and no zeros in front, as no URL has them.
  const isNumber = port === `${+port & 65_535}`;
  if (port !== "*" && (scheme === "*" || !isNumber)) return ["invalid-port", start + name.length + 1];
  // The URL parser would drop tabs and line breaks, and read these others as the end of the host or of credentials.
  const odd = name.search(/[^!-\uffff]|[*?#@\\]/);
  if (odd >= 0) return [name[odd] === "*" ? "host-wildcard" : "invalid-host", start + odd];
  const host = name && parseUrl(`http://${name}`)?.hostname;
  if (host === undefined) return [ipv6 ? "invalid-ipv6" : "invalid-host", start];
  const unmatchable = path.search(/[^!-\uffff]|[#\x7f]/);
  if (unmatchable >= 0) return ["unmatchable-path", text.length - path.length + unmatchable];
  const whole = wildcard + host;
  return Object.freeze({
    pattern: text,
    scheme,
    host: whole,
    port,
    path,
    scope: scopeOf(whole, path),
    toString: () => text,
  }) as ReferrerPattern;
};

/**
 * Takes a match pattern apart, by Chrome's grammar: `<scheme>://<host>[:<port>]<path>`.
 * Two things that Chrome accepts are refused, because no `Referer` could match: schemes other than `http`, `https`
 * and `*`, and a port or path written as no URL is (`:080`, `/#/verify/*`, a line break at the end).
 *
 * @throws {@link ReferrerPatternError} when the pattern is not valid
 * @example parseReferrerPattern("https://*.example.com/*").scope // "site"
 * @see https://developer.chrome.com/docs/extensions/develop/concepts/match-patterns
 */
export function parseReferrerPattern(pattern: string): ReferrerPattern {
  const result = analyse(pattern);
  if ("scope" in result) return result;
  const text = String(pattern);
  const meant = analyse(guessPattern(text));
  // A pattern for any site is never proposed.
  const proposal = "scope" in meant && meant.scope !== "any" ? meant.pattern : "";
  throw new ReferrerPatternError(text, ...result, proposal);
}

/** Tells whether `parseReferrerPattern` would accept the value. Never throws. */
export function isReferrerPattern(pattern: unknown): pattern is string {
  return "scope" in analyse(pattern as string);
}

const ESCAPES = /%(22|2d|3[\dce]|[46][1-9a-f]|[57][\da]|5f|7e|[c-f][\da-f](%[89ab][\da-f])+)/gi;

/** Undoes the percent-encoding of what means the same without it. Chrome compares paths with it and without. */
const decode = (text: string) =>
  text.replace(ESCAPES, (escaped) => attempt(() => decodeURIComponent(escaped)) ?? escaped);

const pathMatches = (path: string, url: string): boolean => {
  // Chrome lets `/verify/*` match `/verify` too, as long as there is no query.
  if (path === `${url}/*` && !url.includes("?")) return true;
  const parts = path.split("*");
  const last = parts.length - 1;
  let at = 0;
  return parts.every((part, i) => {
    const found = i < last ? url.indexOf(part, at) : url.endsWith(part) ? url.length - part.length : -1;
    const fits = i ? found >= at : found === 0;
    at = found + part.length;
    return fits;
  });
};

/** The first part of the pattern that the URL, `http` or `https`, does not match; `undefined` if it matches. */
export const mismatch = (
  pattern: ReferrerPattern,
  url: URL,
): "host" | "scheme" | "port" | "path" | undefined => {
  const { protocol } = url;
  const base = baseOf(pattern.host);
  const host = url.hostname.replace(FINAL_DOTS, "");
  if (
    host !== base &&
    (pattern.host[0] !== "*" ||
      // `.example.com`, with nothing before its dot, is no subdomain.
      (base && !host.slice(1).endsWith(`.${base}`)))
  ) {
    return "host";
  }
  if (pattern.scheme !== "*" && `${pattern.scheme}:` !== protocol) return "scheme";
  if (pattern.port !== "*" && pattern.port !== `${url.port || (protocol === "http:" ? 80 : 443)}`)
    return "port";
  const fits = [String, decode].some((read) => pathMatches(read(pattern.path), read(target(url))));
  return fits ? undefined : "path";
};

/**
 * Tells whether a URL matches a pattern, as Chrome does: any port unless the pattern names one, path and query
 * compared with case, the fragment ignored. Never throws: an invalid pattern, an invalid URL and a URL that is not
 * `http` or `https` give `false`.
 *
 * It says nothing about what a page there will send: for that, use `explainReferrer`.
 *
 * @example matchesReferrer("https://*.example.com/*", "https://www.example.com/") // true
 */
export function matchesReferrer(pattern: string | ReferrerPattern, url: string | URL): boolean {
  const parsed = pattern instanceof Object ? pattern : analyse(pattern);
  const found = parseUrl(url);
  return "scope" in parsed && !!found && isWeb(found) && !mismatch(parsed, found);
}
