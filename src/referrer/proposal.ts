import { isProblem, NEXT_IN_A_LIST, readPattern, withoutFinalDots } from "./grammar.ts";
import { parseUrl } from "./url.ts";

// With its slips: `https//`, `https:/`, `htps://`, `http(s)://`, `HTTPS://`, `["https://`, and one given twice.
const SCHEME = /^(\W?(\*|h*t+p+s*[()[\]*?s]*)[:;/]|:?\/)+/i;

/**
 * Returns the pattern that a text was probably meant to be: an origin and `/*`, since no path arrives in every browser.
 * Returns `undefined` where the host is not clear, and never proposes a pattern for any site.
 */
export function proposePattern(text: string): string | undefined {
  const [first] = text.split(NEXT_IN_A_LIST) as [string];
  const address = withoutDecoration(first);
  const rest = address.replace(SCHEME, "");
  const url = findUrl(rest);
  if (url === undefined) return undefined;

  const prefix = address.slice(0, address.length - rest.length);
  // A lone word may be a host, but as likely it is `undefined` or the name of a setting.
  const isLoneWord = prefix === "" && !/[.:]|localhost/.test(url.host);
  const isPlaceholder = /(^|\.)(undefined|null)$|[${}%]/.test(url.hostname);
  if (isLoneWord || isPlaceholder) return undefined;

  const pattern = readPattern(`${schemeFor(prefix, url)}://${mendWildcard(url.host)}/*`);
  return isProblem(pattern) || pattern.scope === "any" ? undefined : pattern.pattern;
}

/** Removes what comes along when a pattern is copied: quotes, invisible characters, spaces. */
function withoutDecoration(text: string): string {
  const words = text.replace(/["'`“”\u200b]/g, "").replace(/\s+/g, " ");
  return words.replace(/\B | \B/g, ""); // Beside punctuation a space is a slip; between two letters, who knows.
}

/** The scheme that was written, or that a page there has: a machine of one's own seldom has a certificate. */
function schemeFor(prefix: string, { hostname }: URL): "https" | "http" {
  if (/s|p\*/i.test(prefix)) return "https";
  const isOwnMachine = /localhost$|^[\d.]+$|:/.test(hostname);
  return isOwnMachine || /p/i.test(prefix) ? "http" : "https";
}

/** Reads host and port as closely as a URL's parser allows. */
function findUrl(rest: string): URL | undefined {
  const authority = rest.replace(/^::1:/, "[::1]:").replace(/[/?#,;].*/, "");
  return (
    parseUrl(`http://${authority}`) ??
    parseUrl(`http://[${authority.replace("[", "")}]`) ?? // An IPv6 address without its brackets.
    parseUrl(`http://${authority.replace(/:(\d*).*/, ":$1")}`) ?? // The first of two ports, or one with an asterisk.
    parseUrl(`http://${authority.replace(/:.*/, "")}`)
  );
}

/** `*example.com`, `*.*.example.com` and `.example.com` become `*.example.com`, and `example.com*` the host alone. */
function mendWildcard(host: string): string {
  const withoutEnd = withoutFinalDots(host).replace(/(\w)\*+$/, "$1");
  return withoutEnd.replace(/^[*.]+(?=[^-.*])/, "*.");
}
