import { orAborted } from "../abort.ts";
import { callHook } from "../call-hook.ts";
import { checkFields, checkInteger, kindOf } from "../checks.ts";
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

/** What decides the limit of a client. */
export interface LimitSettings {
  rateLimit: number | RateLimitOptions | RateLimiter | false | undefined;
  apiKey: () => string | Promise<string>;
  /** Whether `apiKey` always returns the same string. */
  hasFixedKey: boolean;
  baseUrl: string;
}

/**
 * The limit that a client keeps to, or `undefined` for none.
 *
 * By default the limit belongs to the account, as it does on the server: all clients of this process that have the
 * same key and `baseUrl` share one, so making a client for each request does not get around it. A number belongs to
 * the client that it was given to: it is how one divides an account's limit.
 */
export function createLimit({ rateLimit, hasFixedKey, apiKey, baseUrl }: LimitSettings): Limit | undefined {
  if (rateLimit === false) return undefined;
  if (rateLimit === undefined) {
    return hasFixedKey ? sharedLimit(apiKey() as string, baseUrl) : new LimitOfUnknownKey();
  }
  if (typeof rateLimit === "number") return new SlidingWindow(checkPerSecond("rateLimit", rateLimit));
  if (isRateLimiter(rateLimit)) return ofRateLimiter(rateLimit);
  if (typeof rateLimit !== "object" || rateLimit === null) {
    throw new TypeError(
      `rateLimit must be a number, { perSecond }, false or a RateLimiter, not ${kindOf(rateLimit)}.`,
    );
  }
  const { perSecond, maxQueue } = checkFields("rateLimit", rateLimit, ["perSecond", "maxQueue"]);
  return new SlidingWindow(
    checkPerSecond("rateLimit.perSecond", perSecond),
    checkInteger("rateLimit.maxQueue", maxQueue, 0) ?? DEFAULT_MAX_QUEUE,
  );
}

/** How many requests a second the API takes with this key; `Infinity` where the key does not say. */
export function perSecondOf(key: string): number {
  if (key.startsWith("live_")) return LIVE_PER_SECOND;
  return key.startsWith("test_") ? TEST_PER_SECOND : Number.POSITIVE_INFINITY;
}

function checkPerSecond(name: string, value: unknown): number {
  const perSecond = checkInteger(name, value, 1);
  if (perSecond === undefined) throw new TypeError(`${name} is missing.`);
  return perSecond;
}

/**
 * Until the key function has given its first key, the smallest limit that an account has; then the limit of the last
 * key. It belongs to one client: two functions cannot be known to give the same key.
 */
class LimitOfUnknownKey extends SlidingWindow {
  constructor() {
    super(TEST_PER_SECOND);
  }

  useKey(key: string): void {
    this.resize(perSecondOf(key));
  }
}

/** What all clients of a process share. */
interface Accounts {
  windows: Map<string, SlidingWindow>;
  seed: number;
}

/** Kept where an ES module and a CommonJS copy of this package find the same one. */
const ACCOUNTS = Symbol.for("complycube-tokens.accounts");

/** Made with the first call, not at import: Cloudflare Workers have no randomness there. */
function accounts(): Accounts {
  const scope = globalThis as { [ACCOUNTS]?: Accounts };
  scope[ACCOUNTS] ??= { windows: new Map(), seed: Math.floor(Math.random() * 2 ** 32) };
  return scope[ACCOUNTS];
}

/** Looks the window up for each call, because one in which nothing happens is forgotten. */
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

/** 64 bits that tell keys apart and from which none can be read, so that no key outlives its client. FNV-1a, twice. */
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

/** Another's limiter: whatever it does, an abort ends the call at once, and telling it something breaks nothing. */
function ofRateLimiter(limiter: RateLimiter): Limit {
  return {
    take: (signal) => orAborted(limiter.acquire(signal), signal),
    penalize: (ms) => callHook(() => limiter.penalize?.(ms)),
  };
}
