import {
  checkApiKey,
  checkBaseUrl,
  checkBoolean,
  checkFields,
  checkFunction,
  checkInteger,
  misuse,
} from "../checks.ts";
import type { Fetch } from "../http/exchange.ts";
import { BASE_URL } from "../http/operation.ts";
import type { LimitSettings } from "../limit/account-limit.ts";
import type { RateLimiter, RateLimitOptions } from "../limit/sliding-window.ts";
import { redactCause } from "../redact.ts";
import { refuseBrowser } from "./browser-guard.ts";

/** One attempt of one call, which `onAttempt` is called with. It never holds the key, the token or the client ID. */
export interface AttemptEvent {
  /** Which attempt this was, from 1. */
  attempt: number;
  /** How long the attempt waited for the rate limit before it was sent, in milliseconds; 0 where it did not wait. */
  waitedMs: number;
  /** How long the attempt took, in milliseconds, from when it was sent. */
  durationMs: number;
  /** The HTTP status, where an answer came. */
  status: number | undefined;
  /** The id to quote to support, from `x-request-id` or a header like it. */
  requestId: string | undefined;
  /** `undefined` for success; the error's `code`, or `"aborted"` where the caller's signal ended the attempt. */
  errorCode: "api" | "connection" | "timeout" | "invalid_response" | "aborted" | undefined;
  /** The wait before the next attempt, in milliseconds; `undefined` when this was the last. */
  retryInMs: number | undefined;
}

/** Behaviour shared by every call of one client. */
export interface ComplyCubeOptions {
  /**
   * The bare `live_` or `test_` API key, or a function that returns it. A function is called once for each attempt,
   * inside that attempt's `timeoutMs`, and its result is used for that attempt alone: keys can be rotated.
   *
   * @default the environment variable `COMPLYCUBE_API_KEY`. Where it is not set yet, each call reads it again, and until
   *   it is set the limit is that of a `test_` key: 5 requests a second.
   */
  apiKey?: string | (() => string | Promise<string>) | undefined;
  /**
   * The address of the API. It must be `https`, except for loopback hosts. A path is kept in front of `/v1/tokens`, for a
   * gateway.
   *
   * @default the environment variable `COMPLYCUBE_BASE_URL`, else `https://api.complycube.com`
   */
  baseUrl?: string | undefined;
  /**
   * Time allowed for one attempt, in milliseconds, from connecting to the last byte of the body.
   * A retry gets a fresh allowance.
   *
   * @default 10_000
   */
  timeoutMs?: number | undefined;
  /**
   * How many more attempts may follow a connection error, a timeout, or status 408, 429, 500, 502, 503 or 504.
   * 0 means none.
   *
   * @default 2
   */
  maxRetries?: number | undefined;
  /**
   * How many requests may be sent in any second, `false` for no limit, or a limiter of your own. A call over the limit
   * waits, and that wait does not count towards `timeoutMs`. A retry counts as a request.
   *
   * By default the limit is the account's own, and all clients of the process with the same key and `baseUrl` share
   * it. A key function's limit belongs to its client: 5 until the first key is known, then that of the last key. A
   * number or `{ perSecond, maxQueue }` belongs to the client that it is given to.
   *
   * @default 10 a second for a `live_` key, 5 for a `test_` key, none for others; `maxQueue` 1_000
   * @see https://docs.complycube.com/documentation/api-reference/core-concepts/rate-limits
   */
  rateLimit?: number | RateLimitOptions | RateLimiter | false | undefined;
  /**
   * Accepts a `referrer` that every site matches, such as `<all_urls>`. A stolen token then works on an attacker's page.
   *
   * @default false
   */
  allowAnyReferrer?: boolean | undefined;
  /**
   * Accepts a `referrer` with a path, such as `https://www.example.com/verify/*`. Firefox and Safari never send a path
   * to another site, so the token works in Chrome alone, and only on pages that set `Referrer-Policy: unsafe-url` or
   * `no-referrer-when-downgrade`.
   *
   * @default false
   */
  allowReferrerPath?: boolean | undefined;
  /**
   * The function that sends the request: any `fetch`, such as undici's with a dispatcher. A stand-in for tests may return
   * an object that has only `status`, `headers.get` and `text()`.
   *
   * @default on Node.js its own `https`, which keeps connections longer than `fetch`; elsewhere the global `fetch`. Both
   * are looked up at each call, so that interceptors installed later are used.
   */
  fetch?: Fetch | undefined;
  /**
   * Called after every attempt, for logs and metrics. Whatever it throws or rejects with is ignored.
   *
   * @example onAttempt: ({ attempt, status, durationMs }) => metrics.timing("complycube", durationMs, { attempt, status })
   */
  onAttempt?: ((event: AttemptEvent) => void) | undefined;
  /**
   * Lets the client run in a web page or a browser worker, where everyone can read the API key. For tests only.
   *
   * @default false
   */
  dangerouslyAllowBrowser?: boolean | undefined;
  /**
   * Accepts a `baseUrl` of plain `http` to any host, such as a mock in another container (`http://mock:4010`). Everyone
   * on the way can read the API key, so a `live_` key is still refused.
   *
   * @default `true` where the environment variable `COMPLYCUBE_DANGEROUSLY_ALLOW_PLAIN_HTTP` is `true` or `1`, else `false`
   */
  dangerouslyAllowPlainHttp?: boolean | undefined;
}

/** Behaviour of one call; what is left out comes from the client. */
export interface RequestOptions {
  /** Ends the call at once, during backoff too; it then rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /** Time allowed for one attempt, in milliseconds, as in {@link ComplyCubeOptions.timeoutMs}. */
  timeoutMs?: number | undefined;
  /** How many more attempts may follow, as in {@link ComplyCubeOptions.maxRetries}. */
  maxRetries?: number | undefined;
  /** Accepts a `referrer` that every site matches, as in {@link ComplyCubeOptions.allowAnyReferrer}. */
  allowAnyReferrer?: boolean | undefined;
  /** Accepts a `referrer` with a path, as in {@link ComplyCubeOptions.allowReferrerPath}. */
  allowReferrerPath?: boolean | undefined;
}

/** Options after every check, with the defaults filled in. */
export interface Settings extends LimitSettings, CallSettings {
  fetch: Fetch | undefined;
  onAttempt: ((event: AttemptEvent) => void) | undefined;
}

/** Checks the options of a client; throws a `TypeError` or `RangeError` that names the wrong one. */
export function checkClientOptions(given: ComplyCubeOptions): Settings {
  const options = checkFields("options", given, CLIENT_OPTIONS, CONSTRUCTION);
  refuseBrowser(checkBoolean("dangerouslyAllowBrowser", options.dangerouslyAllowBrowser) ?? false);
  const allowPlainHttp = checkBoolean("dangerouslyAllowPlainHttp", options.dangerouslyAllowPlainHttp);
  const baseUrl = checkBaseUrl(
    options.baseUrl === undefined ? (environment("COMPLYCUBE_BASE_URL") ?? BASE_URL) : options.baseUrl,
    () => allowPlainHttp ?? /^(true|1)$/.test(String(environment("COMPLYCUBE_DANGEROUSLY_ALLOW_PLAIN_HTTP"))),
  );
  const apiKey = options.apiKey === undefined ? environment("COMPLYCUBE_API_KEY") : options.apiKey;
  // `next build` loads the module that makes the client, usually without a key.
  const isKeyLater = apiKey === undefined && !("apiKey" in options);
  return {
    apiKey: isKeyLater
      ? () => checkApiKey(environment("COMPLYCUBE_API_KEY"), baseUrl, "apiKey", KEY_ADVICE)
      : keyReader(apiKey, baseUrl),
    baseUrl,
    hasFixedKey: !isKeyLater && typeof apiKey !== "function",
    fetch: checkFunction("fetch", options.fetch),
    signal: undefined, // Own, or a polluted Object.prototype could have one.
    timeoutMs: checkInteger("timeoutMs", options.timeoutMs, 1) ?? 10_000,
    maxRetries: checkInteger("maxRetries", options.maxRetries, 0) ?? 2,
    rateLimit: options.rateLimit,
    allowAnyReferrer: checkBoolean("allowAnyReferrer", options.allowAnyReferrer) ?? false,
    allowReferrerPath: checkBoolean("allowReferrerPath", options.allowReferrerPath) ?? false,
    onAttempt: checkFunction("onAttempt", options.onAttempt),
  };
}

/** What one call does, after every check. */
export interface CallSettings {
  signal: AbortSignal | undefined;
  timeoutMs: number;
  maxRetries: number;
  allowAnyReferrer: boolean;
  allowReferrerPath: boolean;
}

/** Checks the options of one call; what is left out comes from the client. */
export function checkRequestOptions(given: RequestOptions | undefined, settings: Settings): CallSettings {
  if (given === undefined) return settings;
  const options = checkFields("options", given, REQUEST_OPTIONS);
  const { signal } = options;
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw misuse("signal", "must be an AbortSignal", "It is the `signal` of an AbortController.");
  }
  return {
    signal,
    timeoutMs: checkInteger("timeoutMs", options.timeoutMs, 1) ?? settings.timeoutMs,
    maxRetries: checkInteger("maxRetries", options.maxRetries, 0) ?? settings.maxRetries,
    allowAnyReferrer: checkBoolean("allowAnyReferrer", options.allowAnyReferrer) ?? settings.allowAnyReferrer,
    allowReferrerPath:
      checkBoolean("allowReferrerPath", options.allowReferrerPath) ?? settings.allowReferrerPath,
  };
}

/** The names of the options of one call. */
export const REQUEST_OPTIONS = ["signal", "timeoutMs", "maxRetries", "allowAnyReferrer", "allowReferrerPath"];
const CONSTRUCTION = "The call is new ComplyCube({ apiKey: process.env.COMPLYCUBE_API_KEY }).";
const CLIENT_OPTIONS = [
  "apiKey",
  "baseUrl",
  "timeoutMs",
  "maxRetries",
  "rateLimit",
  "allowAnyReferrer",
  "allowReferrerPath",
  "fetch",
  "onAttempt",
  "dangerouslyAllowBrowser",
  "dangerouslyAllowPlainHttp",
];

const KEY_ADVICE = "Pass { apiKey } or set the environment variable COMPLYCUBE_API_KEY.";

/**
 * Returns the function that each attempt gets its key from. A fixed key is checked once, a function's result each
 * time.
 */
function keyReader(apiKey: ComplyCubeOptions["apiKey"], baseUrl: string): Settings["apiKey"] {
  if (typeof apiKey !== "function") {
    const key = checkApiKey(apiKey, baseUrl, "apiKey", KEY_ADVICE);
    return () => key;
  }
  return async () => {
    let key: unknown;
    try {
      key = await apiKey();
    } catch (error) {
      throw new TypeError("The apiKey function threw instead of returning a key.", {
        cause: redactCause(error, ""),
      });
    }
    return checkApiKey(
      key,
      baseUrl,
      "The result of the apiKey function",
      "It must return the key as a string. Is an environment variable, such as COMPLYCUBE_API_KEY, not set?",
    );
  };
}

/** Checks the methods and not the class, so that the signal of a polyfill is accepted. */
function isAbortSignal(value: AbortSignal | null): boolean {
  const methods = ["addEventListener", "removeEventListener", "throwIfAborted"] as const;
  return typeof value?.aborted === "boolean" && methods.every((name) => typeof value[name] === "function");
}

/** Returns a variable of the environment, or `undefined` where it is not set or blank. */
function environment(name: string): string | undefined {
  try {
    const value = globalThis.process?.env?.[name];
    return value?.trim() === "" ? undefined : value;
  } catch {} // Deno without permission to read the environment.
  return undefined;
}
