import { parseUrl } from "./url.ts";

/** What is wrong with a pattern. */
export type ReferrerPatternErrorReason =
  /** It is not a string; often an environment variable that is not set. */
  | "not-a-string"
  /** It is in quotation marks, which were part of some code or of a `.env` file. */
  | "quotes"
  /** It is a list, and a token is bound to one pattern. */
  | "several-patterns"
  /** It holds a space, a tab or a line break, often at its end. */
  | "whitespace"
  /** There is no `://`. */
  | "missing-scheme-separator"
  /** The scheme is none of `http`, `https` and `*`. No other kind of page sends a `Referer`. */
  | "scheme-not-allowed"
  /** There is nothing between `://` and the port or path. */
  | "empty-host"
  /** A `*` stands elsewhere than alone or as the first label. */
  | "host-wildcard"
  /** The host holds a character that no host can, a user name with `@`, or a malformed IPv4 address. */
  | "invalid-host"
  /** An IPv6 address without brackets, malformed, or under `*.`. */
  | "invalid-ipv6"
  /**
   * The port is neither `*` nor a number from 0 to 65535 written as in a URL, or it is a number and the scheme is `*`:
   * Chrome takes a number only with `http` or `https`.
   */
  | "invalid-port"
  /** There is no `/` after the host. */
  | "missing-path"
  /** The path holds what is never in a `Referer`: `#` or a control character. */
  | "unmatchable-path"
  /** Only `generate` refuses this: the pattern wants a path, and Firefox and Safari never send one. */
  | "path-not-sent";

/** How many pages a pattern lets a token be used from. */
export type ReferrerScope =
  /** One path on one host: the path holds no `*`. Only `/` is one that every browser sends. */
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
  /**
   * The same pattern with its host as in {@link ReferrerPattern.host}, the way browsers write it in a `Referer`; port
   * and path as they were given. This is what `generate` sends.
   */
  readonly canonical: string;
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

/** Why a text is no pattern, and where in it the trouble starts. */
export interface PatternProblem {
  reason: ReferrerPatternErrorReason;
  index: number;
}

/** Whether reading a pattern found a problem. */
export function isProblem(read: ReferrerPattern | PatternProblem): read is PatternProblem {
  return "reason" in read;
}

/** Takes a pattern apart without throwing. */
export function readPattern(text: unknown): ReferrerPattern | PatternProblem {
  if (typeof text !== "string") return { reason: "not-a-string", index: 0 };
  const read = readByGrammar(text);
  return isProblem(read) ? (findSlip(text) ?? read) : read;
}

/** A separator and the beginning of another pattern or host; a space alone is one only before a scheme. */
export const NEXT_IN_A_LIST = /[,;]["'\s]*(https?:|\*[:.]|[\w-]+\.\w)|(?<=[\w*/])\s+(https?|\*):/;

/** A slip that a person would name first, whatever else it breaks in the grammar. */
function findSlip(text: string): PatternProblem | undefined {
  const next = text.search(NEXT_IN_A_LIST);
  if (next !== -1) return { reason: "several-patterns", index: next };
  if (/^\W?["'`“]/.test(text)) return { reason: "quotes", index: 0 };
  const space = text.search(/^[\s\u200b]|[ \t\r\n]/);
  if (space >= 0) return { reason: "whitespace", index: space };
  return undefined;
}

// Chrome accepts them, but no URL has them in its path. The second part is a space or a control character.
const NEVER_IN_A_PATH = /[#\x7f]|[^!-\uffff]/;

function readByGrammar(pattern: string): ReferrerPattern | PatternProblem {
  const text = pattern === "<all_urls>" ? "*://*/*" : pattern;
  const separator = text.indexOf("://");
  if (separator < 0) return { reason: "missing-scheme-separator", index: 0 };
  const scheme = text.slice(0, separator);
  if (scheme !== "http" && scheme !== "https" && scheme !== "*") {
    return { reason: "scheme-not-allowed", index: 0 };
  }

  const start = separator + 3;
  const pathStart = indexOrEnd(text, "/", start);
  const authority = text.slice(start, pathStart);
  const path = text.slice(pathStart);
  const wildcard = wildcardOf(authority);
  const nameStart = start + wildcard.length;
  const isIpv6 = text[nameStart] === "[";
  const nameEnd = Math.min(
    pathStart,
    indexOrEnd(text, ":", isIpv6 ? text.indexOf("]", nameStart) : nameStart),
  );
  const name = text.slice(nameStart, nameEnd);
  const afterName = text.slice(nameEnd, pathStart); // A colon and the port, or nothing.
  const port = afterName === "" ? "*" : afterName.slice(1);

  if (authority.includes("@")) return { reason: "invalid-host", index: text.indexOf("@") };
  if (isIpv6 ? wildcard !== "" || !name.endsWith("]") : looksLikeIpv6(authority)) {
    return { reason: "invalid-ipv6", index: nameStart };
  }
  if (name === "" && wildcard !== "*") return { reason: "empty-host", index: nameStart };
  if (path === "") return { reason: "missing-path", index: text.length };
  if (port !== "*" && (scheme === "*" || !isPort(port))) {
    return { reason: "invalid-port", index: nameEnd + 1 };
  }

  // The URL parser would drop tabs and line breaks, and read the others as the end of the host.
  const odd = name.search(/[\t\r\n *?#\\]/);
  if (odd >= 0) {
    return { reason: name[odd] === "*" ? "host-wildcard" : "invalid-host", index: nameStart + odd };
  }
  const host = name === "" ? "" : parseUrl(`http://${name}/`)?.hostname;
  if (host === undefined) return { reason: isIpv6 ? "invalid-ipv6" : "invalid-host", index: nameStart };
  const unmatchable = path.search(NEVER_IN_A_PATH);
  if (unmatchable !== -1) return { reason: "unmatchable-path", index: pathStart + unmatchable };

  return Object.freeze({
    pattern,
    canonical: `${scheme}://${wildcard}${host}${afterName}${path}`,
    scheme,
    host: wildcard + host,
    port,
    path,
    scope: scopeOf(wildcard + host, path),
    toString: () => pattern,
  });
}

function scopeOf(host: string, path: string): ReferrerScope {
  const base = baseOf(host);
  const isIpv4 = /\.\d+$/.test(base); // It has no subdomains, so that `*.` adds nothing.
  if (host.startsWith("*") && !isIpv4) {
    // Names under localhost never leave the machine.
    return base.includes(".") || base === "localhost" ? "site" : "any";
  }
  return path.includes("*") ? "origin" : "page";
}

function wildcardOf(authority: string): "*." | "*" | "" {
  if (authority.startsWith("*.")) return "*.";
  return authority === "*" || authority.startsWith("*:") ? "*" : "";
}

/** Whether this is an IPv6 address that wants brackets, and not a host with two ports. */
function looksLikeIpv6(authority: string): boolean {
  return /:.*:/.test(authority) && parseUrl(`http://[${authority}]/`) !== undefined;
}

/** Whether this is a number from 0 to 65535, with no sign and no zeros in front, as in a URL. */
function isPort(port: string): boolean {
  return /^(0|[1-9]\d*)$/.test(port) && Number(port) <= 65_535;
}

/** Returns the host without `*` or `*.`, and without final dots, which Chrome ignores: `*..` is any host too. */
export function baseOf(host: string): string {
  return withoutFinalDots(host.startsWith("*") ? host.slice(2) : host);
}

/** Chrome ignores the dots at the end of a host. */
export function withoutFinalDots(host: string): string {
  let end = host.length;
  while (host[end - 1] === ".") end--;
  return host.slice(0, end);
}

/** Like `indexOf`, but the end of the text where nothing is found. */
function indexOrEnd(text: string, part: string, from: number): number {
  const index = text.indexOf(part, from);
  return index === -1 ? text.length : index;
}
