import { orAborted } from "../abort.ts";
import { callHook } from "../call-hook.ts";
import { checkFields, checkInteger, kindOf, misuse } from "../checks.ts";
import {
  DEFAULT_MAX_QUEUE,
  type Limit,
  type RateLimiter,
  type RateLimitOptions,
  SlidingWindow,
} from "./sliding-window.ts";

/** @see https://docs.complycube.com/documentation/api-reference/core-concepts/rate-limits */
const LIVE_PER_SECOND = 10;
const TEST_PER_SECOND = 5;

/** The settings that decide the limit of a client. */
export interface LimitSettings {
  rateLimit: number | RateLimitOptions | RateLimiter | false | undefined;
  apiKey: () => string | Promise<string>;
  /** Whether `apiKey` always returns the same string. */
  hasFixedKey: boolean;
  baseUrl: string;
}

/**
 * Returns the limit of a client, or `undefined` for none.
 *
 * By default the limit belongs to the account, as it does on the server: all clients of this process that have the
 * same key and `baseUrl` share one, so a new client for each request does not get around it. A number belongs to the
 * client that it was passed to: use numbers to divide an account's limit.
 */
export function createLimit({ rateLimit, hasFixedKey, apiKey, baseUrl }: LimitSettings): Limit | undefined {
  if (rateLimit === false) return undefined;
  if (rateLimit === undefined) {
    return hasFixedKey ? sharedLimit(apiKey() as string, baseUrl) : new LimitOfUnknownKey(TEST_PER_SECOND);
  }
  if (typeof rateLimit === "number") return new SlidingWindow(checkPerSecond("rateLimit", rateLimit));
  if (typeof (rateLimit as Partial<RateLimiter> | null)?.acquire === "function") {
    return ofRateLimiter(rateLimit as RateLimiter);
  }
  if (typeof rateLimit !== "object" || rateLimit === null) {
    const problem = `must be a number, { perSecond }, false or a RateLimiter, not ${kindOf(rateLimit)}`;
    throw misuse("rateLimit", problem);
  }
  const { perSecond, maxQueue } = checkFields("rateLimit", rateLimit as RateLimitOptions, [
    "perSecond",
    "maxQueue",
  ]);
  return new SlidingWindow(
    checkPerSecond("rateLimit.perSecond", perSecond),
    checkInteger("rateLimit.maxQueue", maxQueue, 0) ?? DEFAULT_MAX_QUEUE,
  );
}

/**
 * Returns how many requests a second the API accepts with this key; `Infinity` where its prefix is neither of the
 * two.
 */
export function perSecondOf(key: string): number {
  if (key.startsWith("live_")) return LIVE_PER_SECOND;
  return key.startsWith("test_") ? TEST_PER_SECOND : Number.POSITIVE_INFINITY;
}

/** Checks the size of a limit, which has no default. */
export function checkPerSecond(name: string, value: unknown): number {
  const perSecond = checkInteger(name, value, 1);
  if (perSecond === undefined) throw misuse(name, "is missing");
  return perSecond;
}

/**
 * The limit of a key function. It begins as the smallest limit of an account, and then is that of the last key. It belongs
 * to one client, because two functions may return different keys.
 */
class LimitOfUnknownKey extends SlidingWindow {
  useKey(key: string): void {
    this.resize(perSecondOf(key));
  }
}

/**
 * The limits of all accounts, which the clients of a process share. They are under a key of `globalThis`, so that an ES
 * module and a CommonJS copy of this package share them too.
 */
const ACCOUNTS = Symbol.for("complycube-tokens.accounts");

/** Returns the limit of an account. Each call looks the window up again, because an idle one is forgotten. */
function sharedLimit(key: string, baseUrl: string): Limit | undefined {
  const perSecond = perSecondOf(key);
  if (perSecond === Number.POSITIVE_INFINITY) return undefined;
  const scope = globalThis as { [ACCOUNTS]?: Map<number, SlidingWindow> };
  scope[ACCOUNTS] ??= new Map();
  const windows = scope[ACCOUNTS];
  const account = fingerprint(`${baseUrl} ${key}`);
  const window = () => {
    let found = windows.get(account);
    if (found === undefined) {
      for (const [other, { idle }] of windows) if (idle) windows.delete(other);
      found = new SlidingWindow(perSecond);
      windows.set(account, found);
    }
    return found;
  };
  return {
    take: (signal) => window().take(signal),
    penalize: (ms) => window().penalize(ms),
    sent: (sentAt, lateMs) => window().sent(sentAt, lateMs),
  };
}

/** Returns 32 bits that differ from key to key and reveal none, so that no key is kept longer than its client. FNV-1a. */
function fingerprint(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return hash;
}

/**
 * Wraps a user's limiter: an abort ends the wait even if the limiter ignores the signal, and errors of its other
 * methods are ignored.
 */
function ofRateLimiter(limiter: RateLimiter): Limit {
  return {
    take: (signal) => orAborted(limiter.acquire(signal), signal),
    penalize: (ms) => callHook(() => limiter.penalize?.(ms)),
    sent: (sentAt, lateMs) => callHook(() => limiter.sent?.(sentAt, lateMs)),
  };
}
