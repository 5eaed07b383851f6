import { sleep } from "../abort.ts";
import { RateLimitQueueFullError } from "../errors.ts";

/** Delays calls so that the account's limit is never exceeded. Several clients may share one. */
export interface RateLimiter {
  /**
   * Resolves when one request may be sent. It is called before every attempt, retries included, and does not count towards
   * `timeoutMs`. Where it rejects, the call rejects with the same error. When `signal` aborts, the place is free again.
   */
  acquire(signal?: AbortSignal): Promise<void>;
  /** Called after a 429 or a `Retry-After`: no request should be sent for so many milliseconds. */
  penalize?(ms: number): void;
  /**
   * Called when a request has left, which may be some time after its place was taken: its connection had to be opened
   * first, or the event loop was busy. Count it from when it left. A `fetch` does not report that, so `lateMs` is then an
   * estimate, and this is called after the answer or the failure. It is not called for every place: a request may end
   * before it has left. What it throws or rejects with is ignored.
   *
   * @param sentAt when it was handed to Node.js or to `fetch`, in milliseconds of `performance.now()`
   * @param lateMs how many milliseconds later it went out; over a `fetch` from 0 to 1,000, usually more than the true delay
   */
  sent?(sentAt: number, lateMs: number): void;
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

/**
 * A rate limiter as a call uses it. Where there is nothing to wait for, `take` returns `undefined`, which costs no
 * promise.
 */
export interface Limit {
  take(signal: AbortSignal | undefined): Promise<void> | undefined;
  penalize(ms: number): void;
  sent(sentAt: number, lateMs: number): void;
  /** Called with the key of an attempt, where it was not known beforehand. */
  useKey?(key: string): void;
}

export const DEFAULT_MAX_QUEUE = 1_000;
export const WINDOW_MS = 1_000;
/**
 * How long every place is held beyond its second. The API counts when requests arrive: where one takes longer on its way
 * than another that is sent a second later, both arrive in the same second. This costs 2.5 % of the pace. A request that
 * needs more than this and a second to leave has lost its place, and may leave beside others; over a `fetch`, which
 * does not report when it left, also one that needs as long to be answered.
 */
export const GUARD_MS = 25;
export const HELD_MS = WINDOW_MS + GUARD_MS;
/** How often a waiting call works out its place again, and how often within the last two seconds. */
export const LOOK_EVERY_MS = 1_000;
const LOOK_SOON_EVERY_MS = 100;
/**
 * A waiting call that is so late to look loses its place in the line. It has vanished, or will take its place again.
 */
export const OVERDUE_MS = 50;

/** A call that asks for its place. It is plain data: only the call itself settles its promise and owns its timer. */
export interface Waiter {
  /** The order of asking; 0 before the first time. */
  ticket: number;
  looksAt: number;
}

export const newWaiter = (): Waiter => ({ ticket: 0, looksAt: 0 });

/**
 * At most `perSecond` places in any second, however the calls arrive; first come, first served. A token bucket would
 * allow twice that in one second: its burst, and the tokens that it refills meanwhile.
 *
 * Each call waits on its own timer. When it wakes, it works out its place again, so penalties, a changed limit and
 * aborted calls need no message to it. A call that disappears, as when Cloudflare Workers cancel a request, therefore
 * holds up nobody.
 */
export class SlidingWindow implements Limit {
  #perSecond: number;
  readonly #maxQueue: number;
  /** The number of places that are held, by the millisecond in which they become free. */
  readonly #held = new Map<number, number>();
  /** The calls that wait, in the order of their tickets. */
  readonly #line: Waiter[] = [];
  #tickets = 0;
  #closedUntil = 0;
  #now = 0;
  /** How far its clock is ahead of the machine's: see `#look`. */
  #aheadMs = 0;

  constructor(perSecond: number, maxQueue = DEFAULT_MAX_QUEUE) {
    this.#perSecond = perSecond;
    this.#maxQueue = maxQueue;
  }

  /** Whether it holds no place and no call waits, so that it can be forgotten. */
  get idle(): boolean {
    const now = this.#look();
    return this.#line.length === 0 && this.#held.size === 0 && now >= this.#closedUntil;
  }

  take(signal: AbortSignal | undefined): Promise<void> | undefined {
    const waiter = newWaiter();
    const waitMs = this.ask(waiter);
    return waitMs > 0 ? this.#wait(waiter, waitMs, signal) : undefined;
  }

  /**
   * Returns in how many milliseconds the call has to ask again; 0 once its place is taken.
   *
   * @throws {@link RateLimitQueueFullError}
   */
  ask(waiter: Waiter): number {
    const now = this.#look(waiter);
    const isNew = waiter.ticket === 0;
    const ahead = this.#standInLine(waiter);
    // Those who stand further behind work it out again when they look.
    const roundsMs = Math.floor(ahead / this.#perSecond) * HELD_MS;
    const waitMs = Math.ceil(this.#nextPlaceAt(now) + roundsMs - now);
    if (waitMs <= 0 && ahead === 0) {
      this.#line.shift();
      this.#count(now + HELD_MS, 1);
      return 0;
    }
    if (isNew && this.#line.length > this.#maxQueue) {
      this.leave(waiter);
      throw new RateLimitQueueFullError(this.#maxQueue, 0);
    }
    const lookMs = waitMs > 2 * WINDOW_MS ? LOOK_EVERY_MS : LOOK_SOON_EVERY_MS;
    const sleepMs = Math.max(1, Math.min(waitMs, lookMs));
    waiter.looksAt = now + sleepMs;
    return sleepMs;
  }

  /** Called when the call no longer waits. */
  leave(waiter: Waiter): void {
    const index = this.#line.indexOf(waiter);
    if (index >= 0) this.#line.splice(index, 1);
  }

  penalize(ms: number): void {
    this.#closedUntil = Math.max(this.#closedUntil, this.#look() + ms);
  }

  /** Moves the last place that was taken before the request was sent, or adds one where that has lapsed. */
  sent(sentAt: number, lateMs: number): void {
    if (lateMs < 1) return;
    const heldUntil = sentAt + this.#aheadMs + HELD_MS;
    const takenBefore = [...this.#held.keys()].filter((until) => until < heldUntil + 1); // They were rounded up.
    this.#count(Math.max(...takenBefore), -1);
    this.#count(heldUntil + lateMs, 1);
  }

  /** Changes the limit, also for calls that wait: they see it when they look again. `Infinity` means no limit. */
  resize(perSecond: number): void {
    this.#perSecond = perSecond;
  }

  async #wait(waiter: Waiter, firstMs: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      for (let waitMs = firstMs; waitMs > 0; waitMs = this.ask(waiter)) {
        await sleep(waitMs, signal);
        signal?.throwIfAborted(); // Aborted in the very tick in which it woke.
      }
    } finally {
      this.leave(waiter);
    }
  }

  /** Returns how many wait in front of it. Where it has lost its place in the line, it gets the same one again. */
  #standInLine(waiter: Waiter): number {
    const index = this.#line.indexOf(waiter);
    if (index >= 0) return index;
    if (waiter.ticket === 0) waiter.ticket = ++this.#tickets;
    const ahead = this.#line.filter(({ ticket }) => ticket < waiter.ticket).length;
    this.#line.splice(ahead, 0, waiter);
    return ahead;
  }

  /**
   * Removes the places that have lapsed and the calls in front that have disappeared, and returns the time. A call that is
   * not late itself knows that the event loop is not, either. The clock of this window never goes back: fake timers that
   * were advanced and then removed would leave places hours ahead.
   */
  #look(waiter?: Waiter): number {
    this.#aheadMs = Math.max(this.#aheadMs, this.#now - performance.now());
    this.#now = performance.now() + this.#aheadMs;
    for (const until of this.#held.keys()) if (until <= this.#now) this.#held.delete(until);
    const isLate = waiter === undefined || waiter.looksAt + OVERDUE_MS < this.#now;
    const overdueAt = this.#now - (isLate ? WINDOW_MS : OVERDUE_MS);
    while ((this.#line[0]?.looksAt ?? Number.POSITIVE_INFINITY) < overdueAt) this.#line.shift();
    return this.#now;
  }

  /** Returns when the first in line may go; `now` where it may go at once. */
  #nextPlaceAt(now: number): number {
    const taken = [...this.#held.values()].reduce((sum, places) => sum + places, 0);
    const freeAt = taken < this.#perSecond ? now : Math.min(...this.#held.keys());
    return Math.max(freeAt, this.#closedUntil);
  }

  /** Adds to the number of places that are held until a time; where there are none, none is taken away. */
  #count(until: number, places: number): void {
    const key = Math.ceil(until);
    const sum = (this.#held.get(key) ?? 0) + places;
    if (sum > 0) this.#held.set(key, sum);
    else this.#held.delete(key);
  }
}
