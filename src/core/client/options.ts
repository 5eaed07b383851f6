import {
  checkApiKey,
  checkBaseUrl,
  checkBoolean,
  checkFields,
  checkFunction,
  checkInteger,
  refuseLiveKeyOverPlainHttp,
} from "../checks.ts";
import type { Fetch } from "../http/exchange.ts";
import { BASE_URL } from "../http/operation.ts";
import type { LimitSettings } from "../limit/account-limit.ts";
import type { RateLimiter, RateLimitOptions } from "../limit/sliding-window.ts";
import { redactCause } from "../redact.ts";
import { refuseBrowser } from "./browser-guard.ts";

/** One attempt of one call, as `onAttempt` is told of it. It never holds the key, the token or the client ID. */
export interface AttemptEvent {
  /** Which attempt this was, from 1. */
  attempt: number;
  /** How long it took, in milliseconds. */
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
   * The bare `live_` or `test_` API key, or a function that gives it. A function is called once for each attempt,
   * inside that attempt's `timeoutMs`, and its result is used for that attempt alone: keys can be rotated.
   *
   * @default the environment variable `COMPLYCUBE_API_KEY`
   */
  apiKey?: string | (() => string | Promise<string>) | undefined;
  /**
   * Where the API is. `https`, except for loopback hosts; a path is kept in front of `/v1/tokens`, for a gateway.
   *
   * @default the environment variable `COMPLYCUBE_BASE_URL`, else `https://api.complycube.com`
   */
  baseUrl?: string | undefined;
  /**
   * Time allowed for one attempt, in milliseconds, from connecting to the last byte of the body.
   * A retry gets a fresh allowance. Node.js gives up connecting after 10 seconds by itself, with a `ConnectionError`.
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
   * How fast requests are sent: so many in any second, `false` for no limit, or a limiter of your own. Calls over it
   * wait their turn, outside `timeoutMs`; retries take a turn too.
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
   * Accepts a `referrer` that every site matches, such as `<all_urls>`. A token bound to one works on an attacker's page.
   *
   * @default false
   */
  allowAnyReferrer?: boolean | undefined;
  /**
   * What sends the request. Called with a URL and an init that has `signal` set and `redirect: "manual"`.
   *
   * @default the global `fetch`, looked up at each call, so that interceptors installed later are used
   */
  fetch?: Fetch | undefined;
  /**
   * Told of every attempt, for logs and metrics. What it throws or rejects with is ignored.
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
   * on the way can read the API key, so a `live_` key is refused all the same.
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
}

/** Options after every check, with the defaults filled in. */
export interface Settings extends LimitSettings {
  fetch: Fetch;
  timeoutMs: number;
  maxRetries: number;
  allowAnyReferrer: boolean;
  onAttempt: ((event: AttemptEvent) => void) | undefined;
}

/** Checks the options of a client; throws a `TypeError` or `RangeError` that names the wrong one. */
export function checkClientOptions(options: ComplyCubeOptions): Settings {
  checkFields("options", options, CLIENT_OPTIONS);
  refuseBrowser(checkBoolean("dangerouslyAllowBrowser", options.dangerouslyAllowBrowser) ?? false);
  const baseUrl = checkBaseUrl(
    orElse(options.baseUrl, environment("COMPLYCUBE_BASE_URL") || BASE_URL),
    checkBoolean("dangerouslyAllowPlainHttp", options.dangerouslyAllowPlainHttp) ??
      /^(true|1)$/.test(environment("COMPLYCUBE_DANGEROUSLY_ALLOW_PLAIN_HTTP") ?? ""),
  );
  return {
    apiKey: keyReader(orElse(options.apiKey, environment("COMPLYCUBE_API_KEY")), baseUrl),
    baseUrl,
    hasFixedKey: typeof options.apiKey !== "function",
    fetch: checkFunction("fetch", options.fetch) ?? globalFetch,
    timeoutMs: checkInteger("timeoutMs", options.timeoutMs, 1) ?? 10_000,
    maxRetries: checkInteger("maxRetries", options.maxRetries, 0) ?? 2,
    rateLimit: options.rateLimit,
    allowAnyReferrer: checkBoolean("allowAnyReferrer", options.allowAnyReferrer) ?? false,
    onAttempt: checkFunction("onAttempt", options.onAttempt),
  };
}

/** What one call does, after every check. */
export interface CallSettings extends Pick<Settings, "timeoutMs" | "maxRetries" | "allowAnyReferrer"> {
  signal?: AbortSignal | undefined;
}

/** Checks the options of one call; what is left out comes from the client. */
export function checkRequestOptions(
  options: RequestOptions | undefined,
  settings: Settings,
  known = REQUEST_OPTIONS,
): CallSettings {
  if (options === undefined) return settings;
  checkFields("options", options, known);
  const { signal } = options;
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw new TypeError("signal must be an AbortSignal, such as the `signal` of an AbortController.");
  }
  return {
    signal,
    timeoutMs: checkInteger("timeoutMs", options.timeoutMs, 1) ?? settings.timeoutMs,
    maxRetries: checkInteger("maxRetries", options.maxRetries, 0) ?? settings.maxRetries,
    allowAnyReferrer: checkBoolean("allowAnyReferrer", options.allowAnyReferrer) ?? settings.allowAnyReferrer,
  };
}

/** The names of the options of one call. */
export const REQUEST_OPTIONS = ["signal", "timeoutMs", "maxRetries", "allowAnyReferrer"];
const CLIENT_OPTIONS = [
  "apiKey",
  "baseUrl",
  "timeoutMs",
  "maxRetries",
  "rateLimit",
  "allowAnyReferrer",
  "fetch",
  "onAttempt",
  "dangerouslyAllowBrowser",
  "dangerouslyAllowPlainHttp",
];

/** A key known beforehand is checked once; a function's result is checked each time. */
function keyReader(apiKey: ComplyCubeOptions["apiKey"], baseUrl: string): Settings["apiKey"] {
  if (typeof apiKey !== "function") {
    const key = checkApiKey(
      apiKey,
      "apiKey",
      "pass { apiKey } or set the environment variable COMPLYCUBE_API_KEY",
    );
    refuseLiveKeyOverPlainHttp(key, baseUrl);
    return () => key;
  }
  return async () => {
    let key: unknown;
    try {
      key = await apiKey();
    } catch (error) {
      throw new TypeError("The apiKey function failed to give a key.", { cause: redactCause(error, "") });
    }
    const checked = checkApiKey(key, "The result of the apiKey function", "it must give the key as a string");
    refuseLiveKeyOverPlainHttp(checked, baseUrl);
    return checked;
  };
}

/** Only what is left out is replaced: `null` is a mistake, and is said to be one. */
function orElse<T>(given: T, otherwise: T): T {
  return given === undefined ? otherwise : given;
}

/** By what it does, because a polyfill's is as good. */
function isAbortSignal(value: AbortSignal | null): boolean {
  const methods = ["addEventListener", "removeEventListener", "throwIfAborted"] as const;
  return typeof value?.aborted === "boolean" && methods.every((name) => typeof value[name] === "function");
}

const globalFetch: Fetch = (url, init) => globalThis.fetch(url, init);

function environment(name: string): string | undefined {
  try {
    return globalThis.process?.env?.[name];
  } catch {
    return undefined; // Deno without permission to read the environment.
  }
}
