import { baseOf, isProblem, type ReferrerPattern, readPattern, withoutFinalDots } from "./grammar.ts";
import { attempt, isWeb, parseUrl, pathAndQuery } from "./url.ts";

/** The part of a pattern that a URL does not match. */
export type DifferingPart = "host" | "scheme" | "port" | "path";

/**
 * Tells whether a URL matches a pattern, as Chrome does: any port unless the pattern names one, path and query
 * compared with case, the fragment ignored. Never throws: for an invalid pattern, an invalid URL and a URL that is not
 * `http` or `https` it returns `false`.
 *
 * It says nothing about what a page there will send: for that, use `explainReferrer`.
 *
 * @example matchesReferrer("https://*.example.com/*", "https://www.example.com/") // true
 */
export function matchesReferrer(pattern: string | ReferrerPattern, url: string | URL): boolean {
  const read = pattern instanceof Object ? pattern : readPattern(pattern);
  const page = parseUrl(url);
  if (isProblem(read) || page === undefined || !isWeb(page)) return false;
  return differingPart(read, page) === undefined;
}

/** Returns the first part of the pattern that the URL, `http` or `https`, does not match. */
export function differingPart(pattern: ReferrerPattern, url: URL): DifferingPart | undefined {
  if (!hostMatches(pattern.host, url.hostname)) return "host";
  if (pattern.scheme !== "*" && url.protocol !== `${pattern.scheme}:`) return "scheme";
  if (pattern.port !== "*" && pattern.port !== portOf(url)) return "port";
  if (!pathMatches(pattern.path, pathAndQuery(url))) return "path";
  return undefined;
}

function hostMatches(wanted: string, given: string): boolean {
  const base = baseOf(wanted);
  const host = withoutFinalDots(given);
  if (host === base) return true;
  if (!wanted.startsWith("*")) return false;
  if (base === "") return true;
  // `.example.com`, with nothing before its dot, is no subdomain.
  return host.slice(1).endsWith(`.${base}`);
}

function portOf(url: URL): string {
  return url.port || (url.protocol === "http:" ? "80" : "443");
}

function pathMatches(wanted: string, given: string): boolean {
  // Chrome compares them as they are, and with those characters unescaped that mean the same either way.
  return fits(wanted, given) || fits(unescapePath(wanted), unescapePath(given));
}

function fits(wanted: string, given: string): boolean {
  // Chrome lets `/verify/*` match `/verify` too, as long as there is no query.
  if (wanted === `${given}/*` && !given.includes("?")) return true;

  const [first, ...rest] = wanted.split("*") as [string, ...string[]];
  const last = rest.pop();
  if (last === undefined) return given === first;
  if (!given.startsWith(first)) return false;
  let position = first.length;
  for (const part of rest) {
    const found = given.indexOf(part, position);
    if (found === -1) return false;
    position = found + part.length;
  }
  return given.length - last.length >= position && given.endsWith(last);
}

const ESCAPED_CHARACTER = /%[2-7][\da-f]|%[c-f][\da-f](%[89ab][\da-f])+/gi;
// Chrome compares the other ASCII characters as they are written.
const SAME_UNESCAPED = /[-\w"<>~]|[^ -\x7f]/;

function unescapePath(path: string): string {
  return path.replace(ESCAPED_CHARACTER, (escaped) => {
    const character = attempt(() => decodeURIComponent(escaped)) ?? "";
    return SAME_UNESCAPED.test(character) ? character : escaped;
  });
}
