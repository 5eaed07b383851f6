import { ComplyCubeApiError, ConnectionError, RateLimitError, TimeoutError } from "../errors.ts";

const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 8_000;
/** The longest wait that a server may ask for. Where it asks for more, the call fails at once. */
const MAX_RETRY_AFTER_MS = 60_000;
const BATCH_BACKOFF_MS = { first: 30_000, most: 240_000 };
/** How long a 429 without `Retry-After` holds the other calls back: the API counts by the second, so one second. */
const HOLD_MS = 1_000;
const RETRY_AFTER_JITTER_MS = { least: 100, most: 500 };
const RETRIED_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

/** A connection error that another attempt would only repeat. Users see a `ConnectionError`. */
export class FinalConnectionError extends ConnectionError {
  static override readonly name = "ConnectionError"; // Node.js prints an error under the name of its class.
}

/** A kept connection that the server had closed, so the next attempt need not wait. Users see a `ConnectionError`. */
export class StaleConnectionError extends ConnectionError {
  static override readonly name = "ConnectionError";
}

/**
 * Returns how long to wait before the next attempt, in milliseconds, or `undefined` where another would not help.
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
  } else {
    const isTransient = error instanceof TimeoutError || error instanceof ConnectionError;
    if (!isTransient || error instanceof FinalConnectionError) return undefined;
  }
  // Full jitter: any wait up to the whole backoff, so that clients that failed together do not retry together.
  return Math.random() * Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1));
}

/**
 * The same for a batch: after a 429 without `Retry-After` the wait is 30 seconds, doubling up to 4 minutes, and up to a
 * quarter more at random. Nobody waits for a batch, and the batch is probably what caused the 429.
 *
 * @see https://docs.complycube.com/documentation/api-reference/core-concepts/rate-limits
 */
export function batchRetryDelayMs(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof RateLimitError) || error.retryAfterMs !== undefined)
    return retryDelayMs(error, attempt);
  const { first, most } = BATCH_BACKOFF_MS;
  return Math.min(most, first * 2 ** (attempt - 1)) * (1 + Math.random() / 4);
}

/**
 * Returns how long an answer asks all calls to wait, in milliseconds. It is 60 s at most, whatever the server asks
 * for.
 */
export function holdMs(error: unknown): number | undefined {
  const { status, retryAfterMs } = error as Partial<ComplyCubeApiError>;
  if (retryAfterMs !== undefined) return Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
  return status === 429 ? HOLD_MS : undefined;
}

/**
 * Returns how long a server asks to wait, in milliseconds, from `Retry-After` (seconds or a date), or `undefined` where
 * there is no such header or it cannot be read.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110.html#name-retry-after
 */
export function readRetryAfterMs(headers: { get(name: string): string | null }): number | undefined {
  const value = String(headers.get("retry-after")); // "null" cannot be read.
  // More digits than a number can hold are still a wait.
  if (/^\d+(\.\d+)?$/.test(value)) {
    return Math.min(Number(value) * 1_000, Number.MAX_SAFE_INTEGER);
  }
  // Date.parse also reads things like "-1" and "2"; an HTTP date starts with the day of the week.
  const date = /^[A-Z][a-z]{2,8}, /.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(date)) return undefined;
  // By the server's own clock, where `Date` names it, because the clock of this machine may be wrong.
  const serverNow = Date.parse(String(headers.get("date")));
  return Math.max(0, date - (Number.isNaN(serverNow) ? Date.now() : serverNow));
}
