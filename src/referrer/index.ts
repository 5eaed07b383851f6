/**
 * Chrome's match patterns, and what `Referer` a page really sends. No network code: it works in a browser too.
 *
 * @module complycube-tokens/referrer
 */

export { ReferrerPatternError } from "./error.ts";
export type { ReferrerPattern, ReferrerPatternErrorReason, ReferrerScope } from "./grammar.ts";
export { matchesReferrer } from "./match.ts";
export { isReferrerPattern, parseReferrerPattern } from "./pattern.ts";
export type { PagePolicy, ReferrerCheck, ReferrerExplanation, ReferrerReason } from "./policy.ts";
export { explainReferrer, referrerPatternFor } from "./policy.ts";
