import { ComplyCubeApiError, ConnectionError, RateLimitError, TimeoutError } from "../errors.ts";

const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 8_000;
/** The longest wait that a server may ask for before the call fails at once instead. */
const MAX_RETRY_AFTER_MS = 60_000;
const BATCH_BACKOFF_MS = { first: 30_000, most: 240_000 };
/** How long a 429 that names no time holds the other calls back: until the API's own window of a second is empty. */
const HOLD_MS = 1_000;
const RETRY_AFTER_JITTER_MS = { least: 100, most: 500 };
const RETRIED_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

/** A connection error after which another attempt would come to the same. To its users it is a `ConnectionError`. */
export class FinalConnectionError extends ConnectionError {}

/** A kept connection that the server had closed. To its users it is a `ConnectionError`. */
export class StaleConnectionError extends ConnectionError {}

/**
 * How long to wait before the next attempt, in milliseconds, or `undefined` when another one would not help.
 *
 * @param attempt the attempt that has just failed, from 1
 */
export function retryDelayMs(error: unknown, attempt: number): number | undefined {
  if (error instanceof ComplyCubeApiError) {
    if (!RETRIED_STATUSES.has(error.status)) return undefined;
    if (error.retryAfterMs !== undefined) {
      if (error.retryAfterMs > MAX_RETRY_AFTER_MS) return undefined;
      const { least, most } = RETRY_AFTER_JITTER_MS;
      return error.retryAfterMs + least + Math.random() * (most - least);
    }
  } else if (error instanceof FinalConnectionError) {
    return undefined;
  } else if (!(error instanceof TimeoutError || error instanceof ConnectionError)) {
    return undefined;
  }
  // Full jitter: anything from nothing to the whole backoff, so that clients that failed together spread out.
  return Math.random() * Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1));
}

/**
 * As `retryDelayMs`, for a batch: after a 429 that names no time it waits 30 seconds, doubling to 4 minutes, and up to
 * a quarter more at random. Nobody waits for a batch, and its load is likely to be what the 429 is about.
 *
 * @see https://docs.complycube.com/documentation/api-reference/core-concepts/rate-limits
 */
export function batchRetryDelayMs(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof RateLimitError) || error.retryAfterMs !== undefined)
    return retryDelayMs(error, attempt);
  const { first, most } = BATCH_BACKOFF_MS;
  return Math.min(most, first * 2 ** (attempt - 1)) * (1 + Math.random() / 4);
}

/** How long an answer asks everyone to hold back, in milliseconds; 60 s at most, after which asking again is fair. */
export function holdMs(error: unknown): number | undefined {
  if (!(error instanceof ComplyCubeApiError)) return undefined;
  const { status, retryAfterMs } = error;
  if (retryAfterMs !== undefined) return Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
  return status === 429 ? HOLD_MS : undefined;
}

/**
 * Reads how long a server asks to wait, in milliseconds, from `Retry-After` (seconds or a date). What cannot be
 * read is ignored.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110.html#name-retry-after
 */
export function readRetryAfterMs(headers: { get(name: string): string | null }): number | undefined {
  const value = headers.get("retry-after");
  // More digits than a number holds are still a wait, not something that cannot be read.
  if (value !== null && /^\d+(\.\d+)?$/.test(value.trim())) {
    return Math.min(Number(value) * 1_000, Number.MAX_SAFE_INTEGER);
  }
  // Date.parse also reads things like "-1" and "2"; an HTTP date starts with the day of the week.
  const date = value !== null && /^[A-Z][a-z]{2,8}, /.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(date)) return undefined;
  // The server's own clock, where it is told, so that a wrong clock on this side shortens nothing.
  const serverNow = Date.parse(headers.get("date") ?? "");
  return Math.max(0, date - (Number.isNaN(serverNow) ? Date.now() : serverNow));
}
