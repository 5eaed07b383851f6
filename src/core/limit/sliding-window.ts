import { sleep } from "../abort.ts";
import { RateLimitQueueFullError } from "../errors.ts";

/** What holds calls back so that the account's limit is never passed. Give the same one to several clients to share it. */
export interface RateLimiter {
  /**
   * Resolves when one request may be sent. It is asked before every attempt, retries included, outside `timeoutMs`.
   * What it rejects with, the call rejects with. When `signal` aborts, the call is over: give the place to another.
   */
  acquire(signal?: AbortSignal): Promise<void>;
  /** Told that the API wants nothing for so many milliseconds, after a 429 or a `Retry-After`. */
  penalize?(ms: number): void;
}

/** The size of a limit. */
export interface RateLimitOptions {
  /** How many requests may be sent in any second; a whole number, because one second has no half requests. */
  perSecond: number;
  /**
   * How many calls may wait at once; one more fails with a `RateLimitQueueFullError`. 0 means that none may wait.
   *
   * @default 1_000
   */
  maxQueue?: number | undefined;
}

/** A rate limiter as a call uses it: nothing to wait for is `undefined`, so that it costs no promise. */
export interface Limit {
  take(signal: AbortSignal | undefined): Promise<void> | undefined;
  penalize(ms: number): void;
  /** Called when the request that was sent at this time is answered, or has failed without an answer. */
  settled?(sentAt: number, answered: boolean): void;
  /** Called with the key of an attempt, where it was not known beforehand. */
  useKey?(key: string): void;
}

export const DEFAULT_MAX_QUEUE = 1_000;
export const WINDOW_MS = 1_000;
/**
 * What a place is held for beyond its second. The API counts arrivals, not departures: where one request takes longer
 * to get there than one sent a second later, both would fall into the same second. It costs 2.5 % of the pace.
 */
export const GUARD_MS = 25;
export const HELD_MS = WINDOW_MS + GUARD_MS;
/** How long a late answer holds its place at most, beyond its second. */
const LATE_GUARD_MS = 1_000;
/** Node.js closes a connection that was idle for this long. */
export const COLD_AFTER_MS = 4_000;
/** How often a waiting call looks whether its place has come nearer, and how often within the last two seconds. */
export const LOOK_EVERY_MS = 1_000;
const LOOK_SOON_EVERY_MS = 100;
/** A waiting call that has not looked for so long after it wanted to has vanished, or will stand in line again. */
const OVERDUE_MS = 50;

/** A call that waits. Plain data: nobody but the call itself settles its promise or has its timer. */
interface Waiter {
  /** The order of asking. */
  readonly ticket: number;
  looksAt: number;
}

/**
 * At most `perSecond` places in any second, whatever the arrival pattern; first come, first served. A token bucket
 * would let through twice that: its burst, and what it refills within the same second.
 *
 * Each call waits on a timer of its own, and on waking works out again when its place is: penalties, a changed limit
 * and callers who left need not be announced to it. So a call that vanishes without a word, as when Cloudflare Workers
 * cancel a request, holds up nobody.
 */
export class SlidingWindow implements Limit {
  #perSecond: number;
  readonly #maxQueue: number;
  /** How many places are held, by the whole millisecond until which they are. */
  readonly #held = new Map<number, number>();
  /** Those who wait, by ticket. */
  readonly #line: Waiter[] = [];
  #tickets = 0;
  #closedUntil = 0;
  /** When the first answer came on the connections that are open now. */
  #openSince = Number.POSITIVE_INFINITY;
  #lastAnswerAt = Number.NEGATIVE_INFINITY;
  /** On an open connection; 0 until it is known. */
  #fastestAnswerMs = 0;
  #now = 0;
  /** What its clock is ahead of the machine's: see `#look`. */
  #aheadMs = 0;

  constructor(perSecond: number, maxQueue = DEFAULT_MAX_QUEUE) {
    this.#perSecond = perSecond;
    this.#maxQueue = maxQueue;
  }

  /** Whether forgetting it would change nothing. */
  get idle(): boolean {
    const now = this.#look();
    return this.#line.length === 0 && this.#held.size === 0 && now >= this.#closedUntil;
  }

  /** @param onLook called each time that a waiting call looks for its place; what it throws ends the wait */
  take(signal: AbortSignal | undefined, onLook?: () => void): Promise<void> | undefined {
    const now = this.#look();
    if (this.#line.length === 0 && this.#placeAt(0, now) <= now) {
      this.#count(now + HELD_MS, 1);
      return undefined;
    }
    if (this.#line.length >= this.#maxQueue) throw new RateLimitQueueFullError(this.#maxQueue, 0);
    return this.#wait(signal, onLook);
  }

  penalize(ms: number): void {
    this.#closedUntil = Math.max(this.#closedUntil, this.#look() + ms);
  }

  /**
   * Holds the place of a request for longer whose answer came later than the fastest one on an open connection: its
   * connection had to be opened first, or the event loop was busy, so it may have arrived by as much later.
   */
  settled(sentAt: number, answered: boolean): void {
    const now = this.#look();
    const takenAt = sentAt + this.#aheadMs;
    const tookMs = now - takenAt;
    const lateMs = Math.min(Math.max(0, tookMs - this.#fastestAnswerMs), LATE_GUARD_MS);
    const heldUntil = Math.ceil(takenAt + HELD_MS);
    const place = Math.max(...[...this.#held.keys()].filter((until) => until <= heldUntil));
    if (this.#held.has(place)) {
      this.#count(place, -1);
      this.#count(heldUntil + lateMs, 1);
    }
    if (!answered) return;
    if (takenAt - this.#lastAnswerAt > COLD_AFTER_MS) this.#openSince = now;
    else if (takenAt >= this.#openSince) {
      this.#fastestAnswerMs = Math.min(this.#fastestAnswerMs || tookMs, tookMs);
    }
    this.#lastAnswerAt = now;
  }

  /** Changes the limit, for those who wait already too: they see it when they look. `Infinity` lets everyone through. */
  resize(perSecond: number): void {
    this.#perSecond = perSecond;
  }

  async #wait(signal: AbortSignal | undefined, onLook?: () => void): Promise<void> {
    const waiter: Waiter = { ticket: this.#tickets++, looksAt: 0 };
    try {
      for (;;) {
        const now = this.#look();
        const ahead = this.#standInLine(waiter);
        const waitMs = Math.ceil(this.#placeAt(ahead, now) - now);
        if (waitMs <= 0 && ahead === 0) {
          this.#count(now + HELD_MS, 1);
          return;
        }
        const lookMs = waitMs > 2 * WINDOW_MS ? LOOK_EVERY_MS : LOOK_SOON_EVERY_MS;
        const sleepMs = Math.max(1, Math.min(waitMs, lookMs));
        waiter.looksAt = now + sleepMs;
        await sleep(sleepMs, signal);
        signal?.throwIfAborted(); // Aborted in the very tick in which it woke.
        onLook?.();
      }
    } finally {
      const index = this.#line.indexOf(waiter);
      if (index >= 0) this.#line.splice(index, 1);
    }
  }

  /** Returns how many wait in front of it. It stands in line still, or again, where it asked for its place. */
  #standInLine(waiter: Waiter): number {
    const index = this.#line.indexOf(waiter);
    if (index >= 0) return index;
    const later = this.#line.findIndex(({ ticket }) => ticket > waiter.ticket);
    const ahead = later < 0 ? this.#line.length : later;
    this.#line.splice(ahead, 0, waiter);
    return ahead;
  }

  /**
   * Forgets the places that have lapsed and the waiters in front who have vanished, and returns the time. Its clock
   * never goes back: after fake timers were advanced and taken off, the places would lie hours ahead.
   */
  #look(): number {
    this.#aheadMs = Math.max(this.#aheadMs, this.#now - performance.now());
    this.#now = performance.now() + this.#aheadMs;
    for (const until of this.#held.keys()) if (until <= this.#now) this.#held.delete(until);
    while ((this.#line[0]?.looksAt ?? Number.POSITIVE_INFINITY) + OVERDUE_MS < this.#now) this.#line.shift();
    return this.#now;
  }

  /** When a call may go that has so many in front of it; not after `now` where that is at once. */
  #placeAt(ahead: number, now: number): number {
    const taken = [...this.#held.values()].reduce((sum, places) => sum + places, 0);
    const rounds = Math.floor(ahead / this.#perSecond);
    // After a limit was lowered, more than one place has to become free first.
    let toBeFreed = taken + (ahead % this.#perSecond) - this.#perSecond + 1;
    let at = Math.max(now, this.#closedUntil);
    if (toBeFreed > 0) {
      for (const until of [...this.#held.keys()].sort((a, b) => a - b)) {
        at = Math.max(at, until);
        toBeFreed -= this.#held.get(until) as number;
        if (toBeFreed <= 0) break;
      }
    }
    return at + rounds * HELD_MS;
  }

  /** Adds to the places that are held until then. */
  #count(until: number, places: number): void {
    const key = Math.ceil(until);
    const sum = (this.#held.get(key) ?? 0) + places;
    if (sum > 0) this.#held.set(key, sum);
    else this.#held.delete(key);
  }
}
