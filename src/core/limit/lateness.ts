/**
 * How long every place is held beyond its second. The API counts when requests arrive: where one takes longer on its way
 * than another that is sent a second later, both arrive in the same second. This costs 2.5 % of the pace.
 */
export const GUARD_MS = 25;
/** The longest time that a late answer holds its place beyond its second. */
const LATE_GUARD_MS = 1_000;
/** The global fetch of Node.js closes a connection that was idle for this long. */
const COLD_AFTER_MS = 4_000;

/**
 * Tells how late a request may have reached the API: as much as its answer was later than the fastest one on an open
 * connection. Its connection had to be opened first, or the event loop was busy.
 */
export class Lateness {
  /** When the connections that are open now brought their first answer. */
  #openSince = Number.POSITIVE_INFINITY;
  #lastAnswerAt = Number.NEGATIVE_INFINITY;
  /** The time of the fastest answer on an open connection; 0 until one is known. */
  #fastestMs = 0;

  /** Called when the request that was sent at this time is answered, or has failed without an answer. */
  of(sentAt: number, answered: boolean): number {
    const now = performance.now();
    const tookMs = now - sentAt;
    const lateMs = Math.min(tookMs - this.#fastestMs, LATE_GUARD_MS);
    if (answered) {
      if (sentAt - this.#lastAnswerAt > COLD_AFTER_MS) this.#openSince = now;
      else if (sentAt >= this.#openSince) this.#fastestMs = Math.min(this.#fastestMs || tookMs, tookMs);
      this.#lastAnswerAt = now;
    }
    return Math.max(0, lateMs);
  }
}
