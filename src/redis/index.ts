/**
 * One rate limit for a fleet, in Redis or Valkey.
 * @module complycube-tokens/redis
 */

import { orAborted, sleep } from "../core/abort.ts";
import { checkFields, checkFunction, checkInteger, kindOf } from "../core/checks.ts";
import { RateLimitQueueFullError } from "../core/errors.ts";
import {
  COLD_AFTER_MS,
  DEFAULT_MAX_QUEUE,
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
   * `createSentinel`, `createClientPool`). One that nobody has connected yet is connected; it stays yours to close.
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
   * Called once, with Redis's error, each time that Redis goes away. What it throws is ignored.
   *
   * @default a warning on the console
   */
  onError?: ((error: unknown) => void) | undefined;
}

/** As in one process, and more: what counts the places is a network away from what sends the requests. */
const GUARD_MS = 25;
/** What a place is held for longer whose request has to open its connection first. */
const COLD_GUARD_MS = 200;
/** How late a place can be used at most, beyond its second, where Redis or the event loop is slow. */
const MOST_GUARD_MS = 1_000;
/** How often a client that is connecting is looked at. */
const READY_EVERY_MS = 20;
/** How often a waiting call looks whether Redis has gone away. */
const LOOK_EVERY_MS = 250;
/** A call that has waited asks Redis whether its place still holds, if this process has not heard from it for so long. */
const NEWS_LAST_MS = 100;

/**
 * Makes the `rateLimit` of a fleet, kept in Redis or Valkey: never more than `perSecond` requests in any second from all
 * processes together, first come, first served. Each attempt asks Redis once for the time of its place, and waits for it
 * by itself; one that has waited asks once more whether the fleet is held back. A 429 holds the whole fleet back.
 *
 * While Redis is away each process keeps to `fallbackPerSecond`. A process that dies costs at most the places it had
 * taken.
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

/** A place in the memory of Redis, by the clock of that. */
interface Place {
  at: number;
  lengthMs: number;
  /** When it is free again; 0 for one that was taken over. */
  end: number;
  born: number;
}

class RedisLimit implements RateLimiter {
  readonly #script: Script;
  readonly #perSecond: number;
  readonly #maxQueue: number;
  readonly #fallback: Fallback;
  readonly #waiting = new Set<Place>();
  #askedAt = Number.NEGATIVE_INFINITY;
  /** When Redis last answered, and the memory that it had. */
  #heardAt = Number.NEGATIVE_INFINITY;
  #born = 0;
  /** Until when this process's places are held. */
  #heldUntil = Number.NEGATIVE_INFINITY;
  #coldUntil = 0;
  /** What the clock of the places is behind that of Redis, because the fleet was held back. */
  #behindMs = 0;
  /** What the clock of Redis is ahead of this process's, at least and at most. */
  #aheadMs = { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };

  constructor({ store, perSecond, key, fallbackPerSecond, maxQueue, onError }: RedisRateLimitOptions) {
    const limit = checkInteger("perSecond", perSecond, 1);
    if (limit === undefined) throw new TypeError("perSecond is missing.");
    if (key !== undefined && (typeof key !== "string" || key === "")) {
      throw new TypeError(
        `key must be the name of a key in Redis, not ${key === "" ? "blank" : kindOf(key)}.`,
      );
    }
    this.#perSecond = limit;
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
        // A place that has lapsed by more than its guard is another's by now. The next one gets a wider guard.
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
    this.#heardAt = Number.NEGATIVE_INFINITY; // Those who wait have not heard of it yet.
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

  /** Waits until the place has come, and no hold or loss of memory has changed that meanwhile. */
  async #waitFor(place: Place, signal: AbortSignal | undefined): Promise<void> {
    try {
      for (const other of this.#waiting) {
        if (this.#dueAt(other) < performance.now() - WINDOW_MS) this.#waiting.delete(other); // It has vanished.
      }
      if (this.#waiting.size >= this.#maxQueue) throw new RateLimitQueueFullError(this.#maxQueue, 0);
      this.#waiting.add(place);
      for (;;) {
        const leftMs = Math.ceil(this.#dueAt(place) - performance.now());
        if (leftMs > 0) await sleep(Math.min(leftMs, LOOK_EVERY_MS), signal);
        if (this.#fallback.isAway) throw AWAY;
        const now = performance.now();
        if (leftMs <= 0 && now - this.#heardAt < NEWS_LAST_MS) return;
        // Asked while it waits too, by one for all: a process has to notice a Redis that hangs as soon as the others.
        if (leftMs <= 0 || now - this.#askedAt > STORE_TIMEOUT_MS) await this.#ask(signal, "look");
      }
    } catch (error) {
      this.#giveBack(place);
      throw error;
    } finally {
      this.#waiting.delete(place);
    }
  }

  /** When the place has come for certain, by the clock of this process. */
  #dueAt({ at }: Place): number {
    return at + this.#behindMs - this.#aheadMs.least;
  }

  #earliest({ at }: Place): number {
    return at + this.#behindMs - this.#aheadMs.most;
  }

  #giveBack({ at, lengthMs, born }: Place): void {
    this.#ask(undefined, "give", at, lengthMs, born).catch(() => {});
  }

  /** Asks Redis once its client is connected. A place that it gives too late is given back. */
  async #ask(signal: AbortSignal | undefined, op: string, ...args: number[]): Promise<Place> {
    this.#askedAt = performance.now();
    const ending = new AbortController();
    const answer = this.#answer(ending.signal, op, args);
    const timeout = sleep(STORE_TIMEOUT_MS, ending.signal).then(() => {
      throw new Error(`Redis did not answer within ${STORE_TIMEOUT_MS} ms.`);
    });
    try {
      const place = await orAborted(Promise.race([answer, timeout]), signal);
      this.#heardAt = performance.now();
      this.#born = place.born;
      this.#fallback.return();
      return place;
    } catch (error) {
      if (op === "take") answer.then((place) => this.#giveBack(place)).catch(() => {});
      throw error;
    } finally {
      ending.abort();
    }
  }

  async #answer(signal: AbortSignal, op: string, args: number[]): Promise<Place> {
    while (!this.#script.ready()) await sleep(READY_EVERY_MS, signal);
    const askedAt = performance.now();
    const [time = 0, behindMs = 0, at = 0, born = 0, end = 0] = await this.#script.run(op, ...args);
    const sample = { least: time - performance.now(), most: time + 1 - askedAt };
    // Each answer narrows it; one that contradicts the others tells that a clock was set.
    const least = Math.max(this.#aheadMs.least, sample.least);
    const most = Math.min(this.#aheadMs.most, sample.most);
    this.#aheadMs = least <= most ? { least, most } : sample;
    this.#behindMs = behindMs;
    return { at, lengthMs: args[1] ?? 0, end, born };
  }
}

const AWAY = Symbol("Redis went away");
