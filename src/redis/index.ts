/**
 * One rate limit for a fleet, in Redis or Valkey. Needs the package `rate-limiter-flexible`.
 * @module complycube-tokens/redis
 */

import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { sleep } from "../core/abort.ts";
import { callHook } from "../core/call-hook.ts";
import { checkFields, checkFunction, checkInteger, kindOf } from "../core/checks.ts";
import { RateLimitQueueFullError } from "../core/errors.ts";
import {
  COLD_AFTER_MS,
  DEFAULT_MAX_QUEUE,
  type RateLimiter,
  SlidingWindow,
} from "../core/limit/sliding-window.ts";

/** One rate limit for all processes with the same Redis or Valkey and the same `key`. */
export interface RedisRateLimitOptions {
  /** A client of `ioredis`, or a connected one of `redis` (node-redis). It stays yours to close. */
  store: object;
  /** How many requests the whole fleet may send in any second: 10 with a live key, 5 with a test key. */
  perSecond: number;
  /**
   * The name of the one key kept in Redis, the same in every process. Give each ComplyCube account its own; never put
   * an API key in it.
   *
   * @default "complycube-tokens:rate-limit"
   */
  key?: string | undefined;
  /**
   * The share of this process while Redis is away: `perSecond` divided by the number of processes. `false` fails the
   * calls with Redis's error instead.
   *
   * @default 1
   */
  fallbackPerSecond?: number | false | undefined;
  /** How many calls of this process may wait at once. @default 1_000 */
  maxQueue?: number | undefined;
  /** Told once, with Redis's error, each time that Redis goes away. What it throws is ignored. */
  onError?: ((error: unknown) => void) | undefined;
}

/** As in one process, and more: what counts the places is a network away from what sends the requests. */
const GUARD_MS = 50;
const COLD_GUARD_MS = 250;
const WINDOW_MS = 1_000;
/** A Redis that takes longer than this to answer is away. */
const STORE_TIMEOUT_MS = 500;
/** How often a Redis that is away is asked again. */
const PROBE_EVERY_MS = 1_000;
/** After that long every process has found Redis back, and what each sent by itself is a second old. */
const RETURN_HOLD_MS = PROBE_EVERY_MS + STORE_TIMEOUT_MS + WINDOW_MS;

/**
 * Takes a place in a sliding second, by the clock of Redis alone, so that no process's own clock matters. Each member
 * of the sorted set is a place, and its score the time at which it is free again; what is left of a process that died
 * lapses by itself. A clock that was set back would hold everyone, so places too far ahead are dropped.
 * rate-limiter-flexible's own script counts fixed seconds, which let through twice the limit around their edges.
 */
const TAKE_PLACE = `
local limit, span = tonumber(ARGV[3]), math.floor(tonumber(ARGV[4]) * 1000)
local time = redis.call('time')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('zremrangebyscore', KEYS[1], '-inf', now)
redis.call('zremrangebyscore', KEYS[1], now + 5000, '+inf')
local taken = redis.call('zcard', KEYS[1])
if taken >= limit then
  local first = redis.call('zrange', KEYS[1], taken - limit, taken - limit, 'WITHSCORES')
  return {limit + 1, math.max(1, tonumber(first[2]) - now)}
end
redis.call('zadd', KEYS[1], now + span, time[1] .. '.' .. time[2] .. ':' .. taken)
redis.call('pexpire', KEYS[1], span)
return {taken + 1, span}
`;

/**
 * Makes the `rateLimit` of a fleet, kept in Redis or Valkey through `rate-limiter-flexible`: never more than
 * `perSecond` requests in any second from all processes together. First come, first served within a process; between
 * processes, whoever asks first. Each attempt asks Redis once, and again when its turn comes.
 *
 * While Redis is away each process keeps to `fallbackPerSecond`. A process that dies costs at most a second's places.
 *
 * @throws `TypeError` or `RangeError` that names a wrong option
 * @example
 * const rateLimit = redisRateLimit({ store: new Redis(process.env.REDIS_URL), perSecond: 10, fallbackPerSecond: 2 });
 * const complycube = new ComplyCube({ rateLimit });
 */
export function redisRateLimit(options: RedisRateLimitOptions): RateLimiter {
  checkFields("options", options, ["store", "perSecond", "key", "fallbackPerSecond", "maxQueue", "onError"]);
  return new RedisWindow(options);
}

type Waiter = { resolve: () => void; reject: (error: unknown) => void };

class RedisWindow implements RateLimiter {
  readonly #key: string;
  readonly #warm: RateLimiterRedis;
  readonly #cold: RateLimiterRedis;
  readonly #own: SlidingWindow | undefined;
  readonly #maxQueue: number;
  readonly #onError: ((error: unknown) => void) | undefined;
  readonly #queue = new Set<Waiter>();
  #serving = false;
  #away = false;
  #probeAt = 0;
  #closedUntil = 0;
  #coldUntil = 0;
  #lastTakenAt = Number.NEGATIVE_INFINITY;

  constructor({ store, perSecond, key, fallbackPerSecond, maxQueue, onError }: RedisRateLimitOptions) {
    const points = checkInteger("perSecond", perSecond, 1);
    if (points === undefined) throw new TypeError("perSecond is missing.");
    if (key !== undefined && (typeof key !== "string" || key === "")) {
      throw new TypeError(
        `key must be the name of a key in Redis, not ${key === "" ? "blank" : kindOf(key)}.`,
      );
    }
    const { defineCommand, eval: evaluate } = (store ?? {}) as { defineCommand?: unknown; eval?: unknown };
    if (typeof evaluate !== "function") {
      throw new TypeError(`store must be a client of ioredis or redis, not ${kindOf(store)}.`);
    }
    const window = (spanMs: number) =>
      new RateLimiterRedis({
        storeClient: store,
        useRedisPackage: typeof defineCommand !== "function",
        points,
        duration: spanMs / 1_000,
        keyPrefix: "",
        customIncrTtlLuaScript: TAKE_PLACE,
        rejectIfRedisNotReady: true, // Else ioredis keeps the command for when Redis is back.
      });
    this.#key = key ?? "complycube-tokens:rate-limit";
    this.#warm = window(WINDOW_MS + GUARD_MS);
    this.#cold = window(WINDOW_MS + GUARD_MS + COLD_GUARD_MS);
    this.#maxQueue = checkInteger("maxQueue", maxQueue, 0) ?? DEFAULT_MAX_QUEUE;
    this.#onError = checkFunction("onError", onError);
    if (fallbackPerSecond !== false)
      this.#own = new SlidingWindow(checkInteger("fallbackPerSecond", fallbackPerSecond, 1) ?? 1);
  }

  acquire(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#queue.size > this.#maxQueue) throw new RateLimitQueueFullError(this.#maxQueue, 0);
      const leave = () => {
        this.#queue.delete(waiter);
        reject(signal?.reason);
      };
      const leaving =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          signal?.removeEventListener("abort", leave);
          settle(value);
        };
      const waiter: Waiter = { resolve: leaving<void>(resolve), reject: leaving(reject) };
      signal?.addEventListener("abort", leave, { once: true });
      this.#queue.add(waiter);
      void this.#serve();
    });
  }

  penalize(ms: number): void {
    this.#closedUntil = Math.max(this.#closedUntil, performance.now() + ms);
  }

  /** One at a time, so that the queue is served in order and Redis is not asked by those who cannot be next. */
  async #serve(): Promise<void> {
    if (this.#serving) return;
    this.#serving = true;
    while (this.#queue.size > 0) {
      const waitMs = this.#closedUntil - performance.now();
      if (waitMs > 0) {
        await sleep(Math.min(waitMs, WINDOW_MS), undefined); // In short sleeps, because those who wait may all leave.
        continue;
      }
      try {
        const againInMs = await this.#take();
        if (againInMs > 0) await sleep(againInMs, undefined);
        else this.#shift()?.resolve();
      } catch (error) {
        this.#shift()?.reject(error);
      }
    }
    this.#serving = false;
  }

  #shift(): Waiter | undefined {
    const [first] = this.#queue;
    if (first !== undefined) this.#queue.delete(first);
    return first;
  }

  /** Takes a place and returns 0, or returns after how many milliseconds to ask again. */
  async #take(): Promise<number> {
    if (this.#away && this.#own !== undefined) {
      this.#probe();
      await this.#own.take(undefined);
      return 0;
    }
    try {
      const againInMs = await this.#ask();
      this.#away = false;
      return againInMs;
    } catch (error) {
      this.#leave(error);
      if (this.#own === undefined) throw error;
      return 1;
    }
  }

  async #ask(): Promise<number> {
    const now = performance.now();
    if (now - this.#lastTakenAt >= COLD_AFTER_MS) this.#coldUntil = now + WINDOW_MS;
    const window = now < this.#coldUntil ? this.#cold : this.#warm;
    try {
      await withTimeout(window.consume(this.#key), STORE_TIMEOUT_MS);
      this.#lastTakenAt = now;
      return 0;
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return refusal.msBeforeNext;
      throw refusal;
    }
  }

  /** What the fleet sent in the last second is not known here, so a second has to pass. */
  #leave(error: unknown): void {
    if (this.#away) return;
    this.#away = true;
    this.#probeAt = performance.now() + PROBE_EVERY_MS;
    this.#own?.penalize(WINDOW_MS + GUARD_MS);
    callHook(this.#onError, error);
  }

  /** Asks again beside the calls, which go on meanwhile; the place that it may take lapses. */
  #probe(): void {
    if (performance.now() < this.#probeAt) return;
    this.#probeAt = performance.now() + PROBE_EVERY_MS;
    this.#ask().then(
      () => {
        this.#away = false;
        this.penalize(RETURN_HOLD_MS);
      },
      () => {},
    );
  }
}

function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Redis did not answer within ${ms} ms.`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
