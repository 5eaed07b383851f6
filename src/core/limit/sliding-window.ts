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
  /** @param attempts how many attempts of this call were made before, for the error of a full queue */
  take(signal: AbortSignal | undefined, attempts: number): Promise<void> | undefined;
  penalize(ms: number): void;
  /** Told that the request that was sent at this time is answered, or has failed without an answer. */
  settled?(sentAt: number, answered: boolean): void;
  /** Told of the key of an attempt, where it was not known beforehand. */
  useKey?(key: string): void;
}

export const DEFAULT_MAX_QUEUE = 1_000;
const WINDOW_MS = 1_000;
/**
 * What a place is held for beyond its second. The API counts arrivals, not departures: where one request takes longer
 * to get there than one sent a second later, both would fall into the same second. It costs 2.5 % of the pace.
 */
export const GUARD_MS = 25;
/**
 * How much longer a place is held, at most, for a request that may have left late: the event loop was busy, or a
 * connection had to be opened first. What shows it is an answer that comes later than usual, and by how much.
 */
export const LATE_GUARD_MS = 1_000;
/** How many answers tell what is usual. */
const ANSWERS_KEPT = 32;
/** Node.js closes a connection that was idle for this long. */
export const COLD_AFTER_MS = 4_000;

/** One request's share of a second. */
interface Place {
  takenAt: number;
  heldUntil: number;
  settled: boolean;
}

type Waiter = (place: Place) => void;

/**
 * At most `perSecond` places in any second, whatever the arrival pattern; first come, first served. A token bucket
 * would let through twice that: its burst, and what it refills within the same second.
 */
export class SlidingWindow implements Limit, RateLimiter {
  #perSecond: number;
  readonly #maxQueue: number;
  #places: Place[] = [];
  readonly #queue = new Set<Waiter>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closedUntil = 0;
  #coldUntil = 0;
  readonly #answerTimes: number[] = [];
  #lastTakenAt = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number, maxQueue = DEFAULT_MAX_QUEUE) {
    this.#perSecond = perSecond;
    this.#maxQueue = maxQueue;
  }

  /** Whether forgetting it would change nothing. */
  get idle(): boolean {
    const now = performance.now();
    return (
      this.#queue.size === 0 &&
      now >= this.#closedUntil &&
      this.#places.every(({ heldUntil }) => heldUntil <= now)
    );
  }

  async acquire(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.take(signal, 0);
  }

  take(signal: AbortSignal | undefined, attempts: number): Promise<void> | undefined {
    const now = performance.now();
    if (this.#queue.size === 0 && this.#freeAt(now) <= now) {
      this.#hold(now);
      return undefined;
    }
    if (this.#queue.size >= this.#maxQueue) throw new RateLimitQueueFullError(this.#maxQueue, attempts);
    return this.#wait(signal);
  }

  penalize(ms: number): void {
    this.#closedUntil = Math.max(this.#closedUntil, performance.now() + ms);
  }

  settled(sentAt: number, answered: boolean): void {
    const now = performance.now();
    const place = this.#places.findLast(({ takenAt, settled }) => !settled && takenAt <= sentAt);
    if (place !== undefined) {
      place.settled = true;
      const mayHaveLeftAt = Math.max(place.takenAt, now - this.#usualAnswerMs(place.takenAt));
      place.heldUntil = Math.min(
        mayHaveLeftAt + WINDOW_MS + GUARD_MS,
        place.takenAt + WINDOW_MS + GUARD_MS + LATE_GUARD_MS,
      );
    }
    if (answered && this.#answerTimes.push(now - sentAt) > ANSWERS_KEPT) this.#answerTimes.shift();
    if (this.#queue.size > 0) this.#serve();
  }

  /** Changes the limit, for those who wait already too. `Infinity` lets everyone through. */
  resize(perSecond: number): void {
    if (perSecond === this.#perSecond) return;
    this.#perSecond = perSecond;
    this.#serve();
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const place = await new Promise<Place>((resolve, reject) => {
      const leave = () => {
        this.#queue.delete(waiter);
        if (this.#queue.size === 0) this.#stopTimer();
        reject(signal?.reason);
      };
      const waiter = (granted: Place) => {
        signal?.removeEventListener("abort", leave);
        resolve(granted);
      };
      this.#queue.add(waiter);
      signal?.addEventListener("abort", leave, { once: true });
      this.#schedule();
    });
    if (!signal?.aborted) return;
    // Aborted in the very tick in which its turn came: nothing will be sent, so the next one may.
    this.#places = this.#places.filter((other) => other !== place);
    this.#serve();
    throw signal.reason;
  }

  /** Lets in as many as there is room for, in the order in which they came. */
  #serve(): void {
    this.#stopTimer();
    for (const waiter of this.#queue) {
      const now = performance.now();
      if (this.#freeAt(now) > now) break;
      this.#queue.delete(waiter);
      waiter(this.#hold(now));
    }
    this.#schedule();
  }

  /** One timer, for the first in the queue, and none when nobody waits: it would keep the process alive. */
  #schedule(): void {
    if (this.#timer !== undefined || this.#queue.size === 0) return;
    const now = performance.now();
    const ms = Math.ceil(this.#freeAt(now) - now);
    this.#timer = setTimeout(() => this.#serve(), Math.max(ms, 0));
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The time from which the next place is free; not after `now` when one is free already. */
  #freeAt(now: number): number {
    if (this.#places.length >= this.#perSecond) {
      this.#places = this.#places.filter(({ heldUntil }) => heldUntil > now);
    }
    const surplus = this.#places.length - this.#perSecond;
    if (surplus < 0) return this.#closedUntil;
    // After a limit was lowered, more than one place has to become free first.
    const ends = this.#places.map(({ heldUntil }) => heldUntil).sort((a, b) => a - b);
    return Math.max(this.#closedUntil, ends[surplus] as number);
  }

  #hold(now: number): Place {
    if (now - this.#lastTakenAt >= COLD_AFTER_MS) this.#coldUntil = now + WINDOW_MS;
    this.#lastTakenAt = now;
    // Where answers take long anyway, one that is not there after a second tells nothing.
    const lateMs = this.#usualAnswerMs(now) < LATE_GUARD_MS / 2 ? LATE_GUARD_MS : 0;
    const place = { takenAt: now, heldUntil: now + WINDOW_MS + GUARD_MS + lateMs, settled: false };
    if (this.#perSecond !== Number.POSITIVE_INFINITY) this.#places.push(place);
    return place;
  }

  /** The median of the last answers; none of it on connections that are likely to be cold, so that all of it counts. */
  #usualAnswerMs(takenAt: number): number {
    const isCold = takenAt >= this.#coldUntil - WINDOW_MS && takenAt < this.#coldUntil;
    if (isCold || this.#answerTimes.length === 0) return 0;
    const times = this.#answerTimes.toSorted((a, b) => a - b);
    return times[times.length >> 1] as number;
  }
}
