import { ReferrerPatternError } from "./error.ts";
import { isProblem, type ReferrerPattern, readPattern } from "./grammar.ts";

/**
 * Takes a match pattern apart, by Chrome's grammar: `<scheme>://<host>[:<port>]<path>`.
 * Two things that Chrome accepts are refused, because no `Referer` could match: schemes other than `http`, `https`
 * and `*`, and a port or path written as no URL is (`:080`, `/#/verify/*`, a line break at the end).
 *
 * It accepts a path, such as `https://www.example.com/verify/*`, which `generate` refuses.
 *
 * @throws {@link ReferrerPatternError} when the pattern is not valid
 * @example parseReferrerPattern("https://*.example.com/*").scope // "site"
 * @see https://developer.chrome.com/docs/extensions/develop/concepts/match-patterns
 */
export function parseReferrerPattern(pattern: string): ReferrerPattern {
  const read = readPattern(pattern);
  if (isProblem(read)) throw new ReferrerPatternError(String(pattern), read.reason, read.index);
  return read;
}

/** Tells whether `parseReferrerPattern` would accept the value. Never throws. */
export function isReferrerPattern(pattern: unknown): pattern is string {
  return !isProblem(readPattern(pattern));
}
