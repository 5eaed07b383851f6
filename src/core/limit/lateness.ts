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
 * Tells how late a request may have reached the API because its connection had to be opened first: as much as its answer
 * was later than the fastest one on an open connection. A slow answer on an open connection says nothing.
 */
export class Lateness {
  #inFlight = 0;
  /** How many connections are open, as far as can be told: the most requests in flight at once. */
  #open = 0;
  /** When a request last left with all of them in use, and when one last had to open another. */
  #allUsedAt = Number.NEGATIVE_INFINITY;
  #openedAt = Number.NEGATIVE_INFINITY;
  /** The time of the fastest answer on an open connection; 0 until one is known. */
  #fastestMs = 0;

  /** Called when a request leaves. */
  sent(): void {
    const now = performance.now();
    if (now - this.#allUsedAt > COLD_AFTER_MS) this.#open = this.#inFlight;
    this.#inFlight++;
    if (this.#inFlight > this.#open) {
      this.#open = this.#inFlight;
      this.#openedAt = now;
    }
    if (this.#inFlight === this.#open) this.#allUsedAt = now;
  }

  /** Called when the request that left at this time is answered, or has failed without an answer. */
  settled(sentAt: number, answered: boolean): number {
    const tookMs = performance.now() - sentAt;
    this.#inFlight = Math.max(0, this.#inFlight - 1);
    // It leaves a moment after it has been counted.
    if (sentAt <= this.#openedAt + GUARD_MS)
      return Math.max(0, Math.min(tookMs - this.#fastestMs, LATE_GUARD_MS));
    if (answered) this.#fastestMs = Math.min(this.#fastestMs || tookMs, tookMs);
    return 0;
  }
}
