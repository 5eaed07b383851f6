/**
 * The client, its errors, and all that `complycube-tokens/referrer` exports.
 *
 * @module complycube-tokens
 */

export { ComplyCube } from "./core/client/complycube.ts";
export type { BatchOptions, BatchRequest, BatchResult } from "./core/client/generate-many.ts";
export { inspectToken, type TokenContents } from "./core/client/inspect-token.ts";
export type { AttemptEvent, ComplyCubeOptions, RequestOptions } from "./core/client/options.ts";
export type { MobileTarget, TokenTarget, WebTarget } from "./core/client/target.ts";
export type { Tokens } from "./core/client/tokens.ts";
export {
  AuthenticationError,
  ComplyCubeApiError,
  ComplyCubeError,
  type ComplyCubeErrorCode,
  ConnectionError,
  InvalidRequestError,
  InvalidResponseError,
  type LoggedError,
  PermissionDeniedError,
  RateLimitError,
  RateLimitQueueFullError,
  TimeoutError,
} from "./core/errors.ts";
export type { Fetch, FetchAnswer, FetchInit } from "./core/http/exchange.ts";
export type { RateLimiter, RateLimitOptions } from "./core/limit/sliding-window.ts";
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
