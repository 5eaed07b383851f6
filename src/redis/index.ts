/**
 * One rate limit for a fleet, in Redis or Valkey.
 * @module complycube-tokens/redis
 */

import { sleep } from "../core/abort.ts";
import { checkFields, checkFunction, checkInteger, kindOf, misuse } from "../core/checks.ts";
import { withDeadline } from "../core/deadline.ts";
import { RateLimitQueueFullError } from "../core/errors.ts";
import { checkPerSecond } from "../core/limit/account-limit.ts";
import { GUARD_MS, Lateness } from "../core/limit/lateness.ts";
import {
  DEFAULT_MAX_QUEUE,
  HELD_MS,
  newWaiter,
  type RateLimiter,
  SlidingWindow,
  type Waiter,
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

/** How often a client that is connecting is checked. */
const READY_EVERY_MS = 20;
/** How often a waiting call checks whether Redis has gone away. */
const LOOK_EVERY_MS = 250;

/**
 * Makes the `rateLimit` of a fleet, kept in Redis or Valkey: all processes together send at most `perSecond` requests in
 * any second, first come, first served. Each attempt asks Redis for the time of its place; one that has to wait asks again
 * when it has come. A 429 holds the whole fleet back.
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

/** A call that asks for its place. */
interface Call {
  /** Its ticket in Redis; 0 before the first answer. */
  ticket: number;
  /** When it asks Redis. */
  asksAt: number;
  /** When its timer fires. */
  looksAt: number;
  /** Its place in this process's own share. */
  readonly own: Waiter;
}

class RedisLimit implements RateLimiter {
  readonly #script: Script;
  readonly #perSecond: number;
  readonly #maxQueue: number;
  readonly #fallback: Fallback;
  readonly #waiting = new Set<Call>();
  readonly #lateness = new Lateness();
  /** The last ticket with which a call of this process went, and until when its place counts. */
  #last = { ticket: 0, until: 0 };
  #closedUntil = 0;
  /** The time of the fastest answer of Redis; 0 until one is known. */
  #fastestMs = 0;

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
    this.#fallback = new Fallback(own, checkFunction("onError", onError));
  }

  async acquire(signal?: AbortSignal): Promise<void> {
    const call: Call = { ticket: 0, asksAt: 0, looksAt: 0, own: newWaiter() };
    try {
      for (;;) {
        signal?.throwIfAborted();
        const waitMs = await this.#look(call, signal);
        if (waitMs <= 0) return;
        await sleep(this.#queue(call, waitMs), signal);
      }
    } catch (error) {
      if (call.ticket > 0) this.#tell("leave", call.ticket);
      throw error;
    } finally {
      this.#waiting.delete(call);
      this.#fallback.own?.leave(call.own);
    }
  }

  penalize(ms: number): void {
    this.#fallback.own?.penalize(ms);
    this.#closedUntil = Math.max(this.#closedUntil, performance.now() + ms);
    this.#tell("hold", 0, Math.ceil(ms));
  }

  settled(sentAt: number, answered: boolean): void {
    const lateMs = this.#lateness.of(sentAt, answered);
    this.#fallback.own?.late(sentAt, lateMs);
    if (lateMs <= GUARD_MS) return; // Not worth another round trip.
    this.#tell("late", 0, Math.floor(performance.now() - sentAt), HELD_MS + Math.ceil(lateMs));
  }

  /** Returns for how many milliseconds the call has to wait before it looks again; 0 once its place is taken. */
  async #look(call: Call, signal: AbortSignal | undefined): Promise<number> {
    const { own, isAway, error } = this.#fallback;
    if (isAway) {
      const isProbeDue = this.#fallback.isProbeDue();
      if (own !== undefined) {
        if (isProbeDue) this.#tell("look", 0); // Not awaited, so that the share keeps its pace.
        return own.ask(call.own);
      }
      if (!isProbeDue) throw error;
    }
    const waitMs = Math.max(call.asksAt, this.#closedUntil) - performance.now();
    if (waitMs > 0) return waitMs;
    try {
      return await this.#ask(call, signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      this.#fallback.leave(error);
      return this.#look(call, signal);
    }
  }

  /** @param expectedMs how long Redis may take to answer: a place is held for longer where it is far away or slow */
  async #ask(call: Call, signal: AbortSignal | undefined, expectedMs = this.#fastestMs): Promise<number> {
    const known = performance.now() < this.#last.until ? this.#last.ticket : 0;
    const guardMs = Math.max(GUARD_MS, Math.ceil(2 * expectedMs));
    const args = [call.ticket, known, this.#perSecond, WINDOW_MS + guardMs];
    const { answer, tookMs } = await this.#run(signal, "ask", ...args);
    const [ticket = 0, waitMs = 0] = answer;
    const now = performance.now();
    call.ticket = ticket;
    call.asksAt = now + waitMs + 1; // A timer may fire up to a millisecond early.
    if (waitMs > 0) return waitMs + 1;
    if (tookMs > guardMs) return this.#ask(call, signal, tookMs); // Too late for this place.
    this.#last = { ticket, until: now + WINDOW_MS + guardMs };
    return 0;
  }

  /** Keeps the call among those that wait, and returns in how many milliseconds it looks again. */
  #queue(call: Call, waitMs: number): number {
    const now = performance.now();
    if (!this.#waiting.has(call) && this.#waiting.size >= this.#maxQueue) {
      // A runtime such as Cloudflare Workers may have cancelled the calls that are overdue.
      for (const other of this.#waiting) if (other.looksAt < now - WINDOW_MS) this.#waiting.delete(other);
      if (this.#waiting.size >= this.#maxQueue) throw new RateLimitQueueFullError(this.#maxQueue, 0);
    }
    this.#waiting.add(call);
    const lookMs = Math.min(waitMs, LOOK_EVERY_MS);
    call.looksAt = now + lookMs;
    return lookMs;
  }

  /** Tells Redis something that no call waits for. */
  #tell(op: string, ticket: number, ...args: number[]): void {
    this.#run(undefined, op, ticket, ...args).catch(() => {});
  }

  /** Runs the script once the client is connected. */
  async #run(signal: AbortSignal | undefined, op: string, ...args: number[]) {
    const timeoutError = () => new Error(`Redis did not answer within ${STORE_TIMEOUT_MS} ms.`);
    const done = await withDeadline(STORE_TIMEOUT_MS, timeoutError, signal, async (ending) => {
      const ended = ending.toSignal();
      while (!this.#script.ready()) await sleep(READY_EVERY_MS, ended);
      const askedAt = performance.now();
      const answering = this.#script.run(op, ...args);
      const giveBack = ([ticket = 0]: number[]) => this.#tell("leave", ticket);
      if (op === "ask") ending.onEnd(() => answering.then(giveBack, () => {})); // A place that comes too late.
      const answer = await answering;
      const tookMs = performance.now() - askedAt;
      this.#fastestMs = Math.min(this.#fastestMs || tookMs, tookMs);
      return { answer, tookMs };
    });
    this.#closedUntil = Math.max(this.#closedUntil, performance.now() + this.#fallback.return());
    return done;
  }
}
