// A page has the DOM, none of the types of Node.js, and only the patterns.
import {
  explainReferrer,
  isReferrerPattern,
  matchesReferrer,
  type PagePolicy,
  parseReferrerPattern,
  type ReferrerPattern,
  ReferrerPatternError,
} from "complycube-tokens/referrer";

const pattern: ReferrerPattern = parseReferrerPattern("https://*.example.com/*");
const referrerPolicy: PagePolicy = "origin";
export const matches: boolean = matchesReferrer(pattern, document.location.href);
export const valid: boolean = isReferrerPattern("https://www.example.com/*");
export const advice: string | undefined = explainReferrer({
  pattern: "https://www.example.com/*",
  pageUrl: document.URL,
  referrerPolicy,
}).advice;
export const place = (error: unknown): number => (error instanceof ReferrerPatternError ? error.index : -1);
