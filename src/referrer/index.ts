/**
 * Chrome's match patterns, and what `Referer` a page will really send. No network code: it works in a browser too.
 *
 * @module complycube-tokens/referrer
 */

export type { ReferrerPatternErrorReason } from "./error.ts";
export { ReferrerPatternError } from "./error.ts";
export type { ReferrerPattern, ReferrerScope } from "./pattern.ts";
export { isReferrerPattern, matchesReferrer, parseReferrerPattern } from "./pattern.ts";
export type { PagePolicy, ReferrerCheck, ReferrerExplanation, ReferrerReason } from "./policy.ts";
export { explainReferrer, referrerPatternFor } from "./policy.ts";
