export type { BatchOptions, BatchRequest, BatchResult } from "./batch.ts";
export { ComplyCube } from "./complycube.ts";
export {
  AuthenticationError,
  ComplyCubeApiError,
  ComplyCubeError,
  type ComplyCubeErrorCode,
  ConnectionError,
  InvalidRequestError,
  InvalidResponseError,
  PermissionDeniedError,
  RateLimitError,
  RateLimitQueueFullError,
  TimeoutError,
} from "./errors.ts";
export type { AttemptEvent, ComplyCubeOptions, Fetch, RequestOptions } from "./options.ts";
export type { RateLimiter, RateLimitOptions } from "./rate-limit.ts";
export {
  explainReferrer,
  isReferrerPattern,
  matchesReferrer,
  type PagePolicy,
  parseReferrerPattern,
  type ReferrerCheck,
  type ReferrerExplanation,
  type ReferrerPattern,
  ReferrerPatternError,
  type ReferrerPatternErrorReason,
  type ReferrerReason,
  type ReferrerScope,
  referrerPatternFor,
} from "./referrer/index.ts";
export type { MobileTarget, TokenTarget, WebTarget } from "./target.ts";
export { inspectToken, type TokenContents } from "./token.ts";
export type { Tokens } from "./tokens.ts";
