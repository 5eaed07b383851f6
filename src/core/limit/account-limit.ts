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
 * Returns the limit that a client keeps to, or `undefined` for none.
 *
 * By default the limit belongs to the account, as it does on the server: all clients of this process with the same key
 * and `baseUrl` share one, so a new client for each request does not get around it. A number belongs to the client that
 * was created with it, so that an account's limit can be divided between clients.
 */
export function createLimit({ rateLimit, hasFixedKey, apiKey, baseUrl }: LimitSettings): Limit | undefined {
  if (rateLimit === false) return undefined;
  if (rateLimit === undefined) {
    return hasFixedKey ? sharedLimit(apiKey() as string, baseUrl) : new LimitOfUnknownKey();
  }
  if (typeof rateLimit === "number") return new SlidingWindow(checkPerSecond("rateLimit", rateLimit));
  if (isRateLimiter(rateLimit)) return ofRateLimiter(rateLimit);
  if (typeof rateLimit !== "object" || rateLimit === null) {
    throw misuse(
      "rateLimit",
      `must be a number, { perSecond }, false or a RateLimiter, not ${kindOf(rateLimit)}`,
    );
  }
  const { perSecond, maxQueue } = checkFields("rateLimit", rateLimit, ["perSecond", "maxQueue"]);
  return new SlidingWindow(
    checkPerSecond("rateLimit.perSecond", perSecond),
    checkInteger("rateLimit.maxQueue", maxQueue, 0) ?? DEFAULT_MAX_QUEUE,
  );
}

/** Returns how many requests a second the API accepts with this key; `Infinity` if the key's prefix is unknown. */
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
 * The limit of a client whose key comes from a function: the smallest limit of an account until the function returns its
 * first key, then the limit of the last key. It belongs to one client, because two functions can return different keys.
 */
class LimitOfUnknownKey extends SlidingWindow {
  constructor() {
    super(TEST_PER_SECOND);
  }

  useKey(key: string): void {
    this.resize(perSecondOf(key));
  }
}

/** The limits that all clients of a process share. */
interface Accounts {
  windows: Map<string, SlidingWindow>;
  seed: number;
}

/** A global symbol, so that an ES module and a CommonJS copy of this package find the same limits. */
const ACCOUNTS = Symbol.for("complycube-tokens.accounts");

/** Made by the first call and not at import, because Cloudflare Workers allow no random numbers at import. */
function accounts(): Accounts {
  const scope = globalThis as { [ACCOUNTS]?: Accounts };
  scope[ACCOUNTS] ??= { windows: new Map(), seed: Math.floor(Math.random() * 2 ** 32) };
  return scope[ACCOUNTS];
}

/** Looks the window up for each call, because an idle one is deleted. */
function sharedLimit(key: string, baseUrl: string): Limit | undefined {
  const perSecond = perSecondOf(key);
  if (perSecond === Number.POSITIVE_INFINITY) return undefined;
  const { windows, seed } = accounts();
  const account = fingerprint(`${baseUrl} ${key}`, seed);
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
    settled: (sentAt, answered) => window().settled(sentAt, answered),
  };
}

/** Returns 64 bits (FNV-1a, twice) that differ from key to key. No key can be read from them, so none outlives its client. */
function fingerprint(text: string, seed: number): string {
  let one = seed;
  let two = ~seed;
  for (let i = 0; i < text.length; i++) {
    one = Math.imul(one ^ text.charCodeAt(i), 0x01000193);
    two = Math.imul(two ^ text.charCodeAt(text.length - 1 - i), 0x85ebca6b);
  }
  return `${one}:${two}`;
}

function isRateLimiter(value: unknown): value is RateLimiter {
  return typeof (value as Partial<RateLimiter> | null)?.acquire === "function";
}

/** Wraps a user's limiter: abort works even if the limiter ignores the signal, and an error of `penalize` is ignored. */
function ofRateLimiter(limiter: RateLimiter): Limit {
  return {
    take: (signal) => orAborted(limiter.acquire(signal), signal),
    penalize: (ms) => callHook(() => limiter.penalize?.(ms)),
  };
}
