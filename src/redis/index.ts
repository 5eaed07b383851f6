/**
 * One rate limit for a fleet, in Redis or Valkey.
 * @module complycube-tokens/redis
 */

import { sleep } from "../core/abort.ts";
import { checkFields, checkFunction, checkInteger, kindOf, misuse } from "../core/checks.ts";
import { withDeadline } from "../core/deadline.ts";
import { RateLimitQueueFullError } from "../core/errors.ts";
import { checkPerSecond } from "../core/limit/account-limit.ts";
import {
  COLD_AFTER_MS,
  DEFAULT_MAX_QUEUE,
  GUARD_MS,
  type RateLimiter,
  SlidingWindow,
  WINDOW_MS,
} from "../core/limit/sliding-window.ts";
import { Fallback, STORE_TIMEOUT_MS } from "./fallback.ts";
import { type RedisClient, type Script, scriptOn } from "./script.ts";

export type { RedisClient } from "./script.ts";

/** One rate limit for all processes with the same Redis or Valkey and the same `key`. */
export interface RedisRateLimitOptions {
  /**
   * The app's own client of `ioredis` (`Redis` or `Cluster`) or of `redis` (`createClient`, `createCluster`,
   * `createSentinel`, `createClientPool`). A client that is not connected yet is connected; the app closes it.
   */
  store: RedisClient;
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
  /**
   * Called once, with Redis's error, each time that Redis goes away. What it throws or rejects with is ignored.
   *
   * @default a warning on the console
   */
  onError?: ((error: unknown) => void) | undefined;
}

/** How much longer a place is held when its request has to open its connection first. */
const COLD_GUARD_MS = 200;
/** How late a place can be used at most, where Redis or the event loop is slow. */
const MOST_GUARD_MS = 1_000;
/** How often a client that is connecting is checked. */
const READY_EVERY_MS = 20;
/** How often a waiting call checks whether Redis has gone away. */
const AWAY_CHECK_EVERY_MS = 250;
/** A call that has waited asks Redis again whether the fleet is held back, unless Redis has answered this recently. */
const NEWS_LAST_MS = 100;
const AWAY = Symbol("Redis went away");

/**
 * Makes the `rateLimit` of a fleet, kept in Redis or Valkey: all processes together send at most `perSecond` requests in
 * any second, first come, first served. Each attempt asks Redis once for the time of its place and waits for it; an
 * attempt that has waited asks once more whether the fleet is held back. A 429 holds the whole fleet back.
 *
 * While Redis is away, each process keeps to `fallbackPerSecond`. A process that dies wastes at most the places that it
 * had taken.
 *
 * @throws `TypeError` or `RangeError` that names a wrong option
 * @example
 * const rateLimit = redisRateLimit({ store: new Redis(process.env.REDIS_URL), perSecond: 10, fallbackPerSecond: 2 });
 * const complycube = new ComplyCube({ rateLimit });
 */
export function redisRateLimit(options: RedisRateLimitOptions): RateLimiter {
  const known = ["store", "perSecond", "key", "fallbackPerSecond", "maxQueue", "onError"];
  return new RedisLimit(checkFields("options", options, known));
}

/** A place as Redis keeps it; its times are those of the clock in Redis. */
interface Place {
  at: number;
  lengthMs: number;
  /** When it becomes free again; 0 for a place that another call gave back. */
  end: number;
  /** Which memory of Redis it is in; a Redis that lost its data starts another. */
  born: number;
}

class RedisLimit implements RateLimiter {
  readonly #script: Script;
  readonly #perSecond: number;
  readonly #maxQueue: number;
  readonly #fallback: Fallback;
  readonly #waiting = new Set<Place>();
  #askedAt = Number.NEGATIVE_INFINITY;
  /** When Redis last answered, and which memory it had. */
  #heardAt = Number.NEGATIVE_INFINITY;
  #born = 0;
  /** When the last place of this process becomes free. */
  #heldUntil = Number.NEGATIVE_INFINITY;
  #coldUntil = 0;
  /** How far the clock of the places is behind that of Redis, because the fleet was held back. */
  #behindMs = 0;
  /** How far the clock of Redis is ahead of this process's, at least and at most. */
  #aheadMs = { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };

  constructor({ store, perSecond, key, fallbackPerSecond, maxQueue, onError }: RedisRateLimitOptions) {
    this.#perSecond = checkPerSecond("perSecond", perSecond);
    if (key !== undefined && (typeof key !== "string" || key === "")) {
      throw misuse("key", `must be the name of a key in Redis, not ${key === "" ? "blank" : kindOf(key)}`);
    }
    this.#script = scriptOn(store, key ?? "complycube-tokens:rate-limit");
    this.#maxQueue = checkInteger("maxQueue", maxQueue, 0) ?? DEFAULT_MAX_QUEUE;
    const own =
      fallbackPerSecond === false
        ? undefined
        : new SlidingWindow(checkInteger("fallbackPerSecond", fallbackPerSecond, 1) ?? 1, this.#maxQueue);
    this.#fallback = new Fallback(own, checkFunction("onError", onError), () => this.#ask(undefined, "look"));
  }

  async acquire(signal?: AbortSignal): Promise<void> {
    let late: Place | undefined;
    let guardMs = GUARD_MS;
    for (;;) {
      signal?.throwIfAborted();
      if (await this.#fallback.place(signal)) return;
      try {
        const place = await this.#take(signal, WINDOW_MS + guardMs, late);
        if (this.#dueAt(place) > performance.now()) await this.#waitFor(place, signal);
        const lateMs = performance.now() - this.#earliest(place);
        // Redis gives a place to another call once its guard has passed. The next try gets a longer guard.
        if (lateMs <= guardMs && place.born === this.#born) return;
        late = place;
        guardMs = Math.ceil(Math.min(Math.max(GUARD_MS, 2 * lateMs), MOST_GUARD_MS));
      } catch (error) {
        if (signal?.aborted || error instanceof RateLimitQueueFullError) throw error;
        if (error !== AWAY) this.#fallback.leave(error);
      }
    }
  }

  penalize(ms: number): void {
    this.#fallback.penalize(ms);
    this.#heardAt = Number.NEGATIVE_INFINITY; // So that the calls that wait ask Redis again.
    this.#ask(undefined, "hold", Math.ceil(ms)).catch(() => {});
  }

  async #take(signal: AbortSignal | undefined, lengthMs: number, late: Place | undefined): Promise<Place> {
    const now = performance.now();
    if (now > this.#heldUntil + COLD_AFTER_MS) this.#coldUntil = now + WINDOW_MS;
    const coldMs = now < this.#coldUntil ? COLD_GUARD_MS : 0;
    const born = now < this.#heldUntil ? this.#born : 0;
    const place = await this.#ask(signal, "take", this.#perSecond, lengthMs, coldMs, born, late?.end ?? 0);
    this.#heldUntil = Math.max(this.#heldUntil, this.#dueAt(place) + lengthMs + coldMs);
    return place;
  }

  /** Waits until the place has come, also where a hold of the fleet has moved it meanwhile. */
  async #waitFor(place: Place, signal: AbortSignal | undefined): Promise<void> {
    try {
      // A runtime such as Cloudflare Workers may have cancelled the calls that are overdue.
      for (const other of this.#waiting) {
        if (this.#dueAt(other) < performance.now() - WINDOW_MS) this.#waiting.delete(other);
      }
      if (this.#waiting.size >= this.#maxQueue) throw new RateLimitQueueFullError(this.#maxQueue, 0);
      this.#waiting.add(place);
      for (;;) {
        const leftMs = Math.ceil(this.#dueAt(place) - performance.now());
        if (leftMs > 0) await sleep(Math.min(leftMs, AWAY_CHECK_EVERY_MS), signal);
        if (this.#fallback.isAway) throw AWAY;
        const now = performance.now();
        if (leftMs <= 0 && now - this.#heardAt < NEWS_LAST_MS) return;
        // One call asks for all that wait, so that every process notices a Redis that hangs at about the same time.
        if (leftMs <= 0 || now - this.#askedAt > STORE_TIMEOUT_MS) await this.#ask(signal, "look");
      }
    } catch (error) {
      this.#giveBack(place);
      throw error;
    } finally {
      this.#waiting.delete(place);
    }
  }

  /** Returns when the place has come for certain, by the clock of this process. */
  #dueAt({ at }: Place): number {
    return at + this.#behindMs - this.#aheadMs.least;
  }

  #earliest({ at }: Place): number {
    return at + this.#behindMs - this.#aheadMs.most;
  }

  #giveBack({ at, lengthMs, born }: Place): void {
    this.#ask(undefined, "give", at, lengthMs, born).catch(() => {});
  }

  /** Asks Redis once its client is connected. A place that comes after the time limit is given back. */
  async #ask(signal: AbortSignal | undefined, op: string, ...args: number[]): Promise<Place> {
    this.#askedAt = performance.now();
    let answer: Promise<Place> | undefined;
    const timeoutError = () => new Error(`Redis did not answer within ${STORE_TIMEOUT_MS} ms.`);
    try {
      const place = await withDeadline(STORE_TIMEOUT_MS, timeoutError, signal, (ending) => {
        answer = this.#answer(ending.toSignal(), op, args);
        return answer;
      });
      this.#heardAt = performance.now();
      this.#born = place.born;
      this.#fallback.return();
      return place;
    } catch (error) {
      if (op === "take") answer?.then((place) => this.#giveBack(place)).catch(() => {});
      throw error;
    }
  }

  async #answer(signal: AbortSignal, op: string, args: number[]): Promise<Place> {
    while (!this.#script.ready()) await sleep(READY_EVERY_MS, signal);
    const askedAt = performance.now();
    const [time = 0, behindMs = 0, at = 0, born = 0, end = 0] = await this.#script.run(op, ...args);
    const sample = { least: time - performance.now(), most: time + 1 - askedAt };
    // Each answer narrows the two bounds. An answer that contradicts them means that a clock was set.
    const least = Math.max(this.#aheadMs.least, sample.least);
    const most = Math.min(this.#aheadMs.most, sample.most);
    this.#aheadMs = least <= most ? { least, most } : sample;
    this.#behindMs = behindMs;
    return { at, lengthMs: args[1] ?? 0, end, born };
  }
}
