/** The kind of a failure. The literal is the same after bundling and minifying, and in every copy of this package. */
export type ComplyCubeErrorCode =
  | "api"
  | "connection"
  | "timeout"
  | "invalid_response"
  | "rate_limit_queue_full";

/**
 * Base of every error that a call can reject with, apart from misuse (a `TypeError` or `RangeError`) and the
 * caller's own abort (`signal.reason`).
 *
 * Tell errors apart by `name` or `code`: `instanceof` fails where an ES module and a CommonJS copy of this package
 * are loaded side by side. `cause` holds the underlying error, where there is one. No error holds the API key, a token,
 * the request or its headers.
 */
export abstract class ComplyCubeError extends Error {
  /** The name of the class, as a literal: it is the same in every copy of this package, minified or not. */
  abstract override readonly name: string;
  /** The kind of failure. */
  abstract readonly code: ComplyCubeErrorCode;
  /** How many attempts were made, the first included. */
  attempts = 1;

  /**
   * Returns the fields that a log needs. Send them through `postMessage` or a queue, where an error keeps only its
   * message.
   */
  toJSON(): LoggedError {
    const { name, code, message, attempts } = this;
    const { status, type, param, requestId } = this as Partial<ComplyCubeApiError>;
    return { name, code, message, status, type, param, requestId, attempts };
  }
}

/** A {@link ComplyCubeError} as a plain object, such as `JSON.stringify` makes of it. It holds no key and no token. */
export interface LoggedError {
  /** The name of the error's class. */
  name: string;
  /** The kind of failure. */
  code: ComplyCubeErrorCode;
  /** What went wrong, on one line. */
  message: string;
  /** The HTTP status, where an answer came. */
  status: number | undefined;
  /** The API's own kind of error. */
  type: string | undefined;
  /** The field of the request that is at fault. */
  param: string | undefined;
  /** The id to quote to support. */
  requestId: string | undefined;
  /** How many attempts were made. */
  attempts: number;
}

/** The parts of an answer whose status is not 2xx. */
export interface ApiFailure {
  status: number;
  message: string;
  type?: string | undefined;
  param?: string | undefined;
  requestId?: string | undefined;
  retryAfterMs?: number | undefined;
  body?: unknown;
}

/**
 * The API answered, and the status was not 2xx.
 *
 * @see https://docs.complycube.com/documentation/api-reference/core-concepts/errors
 */
export class ComplyCubeApiError extends ComplyCubeError {
  override readonly name: string = "ComplyCubeApiError"; // A subclass keeps its parent's name unless it says otherwise.
  override readonly code = "api";
  /** The HTTP status. */
  readonly status: number;
  /**
   * The API's own kind of error, such as `invalid_request`; absent when the body is not the API's. Branch on the status
   * or the class instead: 401 and 403 share the type `unauthorized`.
   */
  readonly type: string | undefined;
  /** The field of the request that is at fault, where the API names one. */
  readonly param: string | undefined;
  /** The id to quote to support, from `x-request-id` or a header like it. */
  readonly requestId: string | undefined;
  /** How long the API asked to wait, in milliseconds, from `Retry-After`. */
  readonly retryAfterMs: number | undefined;
  /**
   * The body: parsed when it is JSON, else its text; `undefined` when it is empty, over 1 MiB or cut off. It may be long,
   * so it is not enumerable: a log shows it only where you ask for it.
   */
  declare readonly body: unknown;

  /** @internal */
  constructor(failure: ApiFailure) {
    super(failure.message);
    this.status = failure.status;
    this.type = failure.type;
    this.param = failure.param;
    this.requestId = failure.requestId;
    this.retryAfterMs = failure.retryAfterMs;
    Object.defineProperty(this, "body", { value: failure.body });
  }
}

/** 400: an argument is missing or malformed; `param` names it. Sending the same request again fails again. */
export class InvalidRequestError extends ComplyCubeApiError {
  override readonly name = "InvalidRequestError";
}

/** 401: the API key is missing, unknown or revoked. */
export class AuthenticationError extends ComplyCubeApiError {
  override readonly name = "AuthenticationError";
}

/** 403: the API key is known and has no permission for this. */
export class PermissionDeniedError extends ComplyCubeApiError {
  override readonly name = "PermissionDeniedError";
}

/** 429: too many requests (10 a second live, 5 test, for the whole account). */
export class RateLimitError extends ComplyCubeApiError {
  override readonly name = "RateLimitError";
}

/** No usable answer came: no connection, a broken one, or a redirect, which is never followed. */
export class ConnectionError extends ComplyCubeError {
  override readonly name = "ConnectionError";
  override readonly code = "connection";
}

/** One attempt took longer than `timeoutMs`, from connecting to the last byte of the body. */
export class TimeoutError extends ComplyCubeError {
  override readonly name = "TimeoutError";
  override readonly code = "timeout";
  /** The time that was allowed, in milliseconds. */
  readonly timeoutMs: number;

  /** @internal */
  constructor(timeoutMs: number) {
    super(`No complete answer within ${timeoutMs} ms. Raise timeoutMs if the network is known to be slow.`);
    this.timeoutMs = timeoutMs;
  }
}

/** The status was 2xx and the body is not a token: HTML, empty, broken, truncated or over 1 MiB. */
export class InvalidResponseError extends ComplyCubeError {
  override readonly name = "InvalidResponseError";
  override readonly code = "invalid_response";
  /** The HTTP status, 200 to 299. */
  readonly status: number;
  /** The id to quote to support, from `x-request-id` or a header like it. */
  readonly requestId: string | undefined;

  /** @internal */
  constructor(message: string, status: number, requestId: string | undefined, options?: { cause?: unknown }) {
    super(message, options);
    this.status = status;
    this.requestId = requestId;
  }
}

/** Too many calls of this process already wait for the rate limit. This attempt sent nothing. */
export class RateLimitQueueFullError extends ComplyCubeError {
  override readonly name = "RateLimitQueueFullError";
  override readonly code = "rate_limit_queue_full";
  /** How many calls may wait at once. */
  readonly maxQueue: number;

  /** @internal */
  constructor(maxQueue: number, attempts: number) {
    super(
      `${maxQueue} calls already wait for the rate limit. Send fewer at once, use generateMany for a batch, or raise rateLimit.maxQueue.`,
    );
    this.maxQueue = maxQueue;
    this.attempts = attempts;
  }
}

const CLASS_OF_STATUS: Record<number, typeof ComplyCubeApiError | undefined> = {
  400: InvalidRequestError,
  401: AuthenticationError,
  403: PermissionDeniedError,
  429: RateLimitError,
};

/** Makes the error class that belongs to the status. */
export function apiError(failure: ApiFailure): ComplyCubeApiError {
  return new (CLASS_OF_STATUS[failure.status] ?? ComplyCubeApiError)(failure);
}
