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
  DEFAULT_MAX_QUEUE,
  GUARD_MS,
  newWaiter,
  type RateLimiter,
  SlidingWindow,
  type Waiter,
  WINDOW_MS,
} from "../core/limit/sliding-window.ts";
import { Fallback, PROBE_EVERY_MS, RETURN_HOLD_MS, STORE_TIMEOUT_MS } from "./fallback.ts";
import { MEMORY_MS, type RedisClient, type Script, scriptOn } from "./script.ts";

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

/** How long the place of a request that has not left is remembered. */
const LEAVES_WITHIN_MS = 10_000;
/** How often a client that is connecting is checked. */
const READY_EVERY_MS = 20;
/** How often a waiting call checks whether Redis has gone away. */
const WAKE_EVERY_MS = 250;

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
  /** When it asks Redis again. */
  asksAt: number;
  /** When its timer fires. */
  wakesAt: number;
  waits: boolean;
  /** Its place in this process's own share. */
  readonly own: Waiter;
}

class RedisLimit implements RateLimiter {
  readonly #script: Script;
  readonly #perSecond: number;
  readonly #maxQueue: number;
  readonly #fallback: Fallback;
  /** The calls that ask or wait, in the order of asking. */
  readonly #calls = new Set<Call>();
  /** The places that Redis gave to requests that have not left: when it was asked, when it answered, and the guard. */
  readonly #granted: { ticket: number; askedAt: number; at: number; guardMs: number }[] = [];
  /** The ticket with which a call of this process went last, and until when Redis must know it. */
  #last = { ticket: 0, until: 0 };
  #closedUntil = 0;
  #forgetsAt = 0;
  /** How quickly Redis answers. */
  #answersInMs = 0;

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
    const call: Call = { ticket: 0, asksAt: 0, wakesAt: performance.now(), waits: false, own: newWaiter() };
    this.#calls.add(call);
    try {
      for (;;) {
        signal?.throwIfAborted();
        const waitMs = await this.#ask(call, signal);
        if (waitMs <= 0) return;
        if (!call.waits) this.#queue(call);
        const wakeMs = Math.min(waitMs, WAKE_EVERY_MS);
        call.wakesAt = performance.now() + wakeMs;
        await sleep(wakeMs, signal);
      }
    } catch (error) {
      if (call.ticket > 0) this.#tell("leave", call.ticket);
      throw error;
    } finally {
      this.#calls.delete(call);
      this.#fallback.own?.leave(call.own);
    }
  }

  penalize(ms: number): void {
    this.#fallback.own?.penalize(ms);
    this.#closedUntil = Math.max(this.#closedUntil, performance.now() + ms);
    this.#tell("hold", 0, Math.ceil(ms));
  }

  sent(sentAt: number, lateMs: number): void {
    const index = this.#granted.findLastIndex(({ at }) => at <= sentAt);
    const [place] = index < 0 ? [] : this.#granted.splice(index, 1);
    if (place === undefined) {
      this.#fallback.own?.sent(sentAt, lateMs);
      return;
    }
    const leftAt = sentAt + lateMs;
    const heldForMs = Math.ceil(leftAt + WINDOW_MS + place.guardMs - performance.now());
    // Half of the guard covers a request that left soon, at no round trip.
    if (leftAt - place.askedAt > place.guardMs / 2 && heldForMs > 0)
      this.#tell("late", place.ticket, heldForMs);
  }

  /** Returns for how many milliseconds the call has to wait before it asks again; 0 once its place is taken. */
  async #ask(call: Call, signal: AbortSignal | undefined): Promise<number> {
    const { own, isAway, error } = this.#fallback;
    if (isAway) {
      const overdueMs = this.#fallback.probe();
      if (own !== undefined && overdueMs < PROBE_EVERY_MS) {
        if (overdueMs >= 0) this.#tell("back", 0, RETURN_HOLD_MS); // Not awaited, so that the share keeps its pace.
        return own.ask(call.own);
      }
      if (overdueMs < 0) throw error;
      // Nobody has asked for long: Redis may have been back for hours.
    }
    if (call.ticket === 0 && !this.#isNear(call)) return WAKE_EVERY_MS;
    const leftMs = Math.max(call.asksAt, this.#closedUntil) - performance.now();
    if (leftMs > 0) return leftMs;
    try {
      const waitMs = await this.#askRedis(call, signal);
      return Math.max(waitMs, this.#closedUntil - performance.now()); // Held back meanwhile.
    } catch (error) {
      if (signal?.aborted) throw error;
      call.ticket = 0; // Its answer may still come, and gives the place of that ticket back.
      this.#granted.length = 0; // From here on, requests that leave have their places in the share.
      this.#fallback.goAway(error);
      return this.#ask(call, signal);
    }
  }

  /** @param guardMs how late a place may be used, and for how much longer it is held */
  async #askRedis(
    call: Call,
    signal: AbortSignal | undefined,
    guardMs = guardFor(this.#answersInMs),
  ): Promise<number> {
    const known = performance.now() < this.#last.until ? this.#last.ticket : 0;
    const args = [call.ticket, known, this.#perSecond, WINDOW_MS + guardMs];
    const { answer, tookMs } = await this.#run(signal, "ask", ...args);
    const [ticket = 0, placeInMs = 0] = answer;
    const now = performance.now();
    const waitMs = placeInMs > 0 ? placeInMs + 1 : 0; // A timer may fire up to a millisecond early.
    call.ticket = ticket;
    call.asksAt = now + waitMs;
    if (waitMs > 0) return waitMs;
    if (tookMs > guardMs) return this.#askRedis(call, signal, guardFor(tookMs));
    this.#last = { ticket, until: now + MEMORY_MS - WINDOW_MS };
    while ((this.#granted[0]?.at ?? now) < now - LEAVES_WITHIN_MS) this.#granted.shift();
    this.#granted.push({ ticket, askedAt: now - tookMs, at: now, guardMs });
    return 0;
  }

  /** Whether the call is among the first of this process. Only they ask Redis, so that its line stays short. */
  #isNear(call: Call): boolean {
    this.#forgetVanished();
    let ahead = 0;
    for (const other of this.#calls) {
      if (other === call) return true;
      if (++ahead === 2 * this.#perSecond) return false;
    }
    return true;
  }

  /** Counts the call among those that wait. */
  #queue(call: Call): void {
    this.#forgetVanished();
    let waiting = 0;
    for (const { waits } of this.#calls) if (waits) waiting++;
    if (waiting >= this.#maxQueue) throw new RateLimitQueueFullError(this.#maxQueue, 0);
    call.waits = true;
  }

  /** A runtime such as Cloudflare Workers may have cancelled a call: then it should have woken long ago. */
  #forgetVanished(): void {
    const now = performance.now();
    if (now < this.#forgetsAt) return;
    this.#forgetsAt = now + WAKE_EVERY_MS;
    for (const call of this.#calls) if (call.wakesAt < now - WINDOW_MS) this.#calls.delete(call);
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
      this.#answersInMs = Math.min(tookMs, 2 * this.#answersInMs + 1); // One that is late once changes little.
      return { answer, tookMs };
    });
    this.#closedUntil = Math.max(this.#closedUntil, performance.now() + this.#fallback.comeBack());
    return done;
  }
}

/** Returns how late a place may be used where Redis takes so long to answer. */
function guardFor(answersInMs: number): number {
  return Math.max(GUARD_MS, Math.ceil(2 * answersInMs));
}
