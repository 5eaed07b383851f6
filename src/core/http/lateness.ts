import type { Answer } from "./exchange.ts";

/** The longest time that a request counts as late. */
const MAX_LATE_MS = 1_000;
/** The global fetch of Node.js closes a connection that was idle for this long. */
const COLD_AFTER_MS = 4_000;

/**
 * Tells how late a request may have left because its connection had to be opened first: as much as its answer was later
 * than the fastest one on an open connection. Where nothing tells that its own was open, as with `fetch`, each counts.
 */
export class Lateness {
  /** When the connections that are open now brought their first answer. */
  #openSince = Number.POSITIVE_INFINITY;
  #lastAnswerAt = Number.NEGATIVE_INFINITY;
  /** The time of the fastest answer on an open connection; 0 until one is known. */
  #fastestMs = 0;

  /** Called when the request that was sent at this time is answered, or has failed without an answer. */
  of(sentAt: number, answer: Answer | undefined): number {
    const now = performance.now();
    const tookMs = now - sentAt;
    const lateMs = Math.min(tookMs - this.#fastestMs, MAX_LATE_MS);
    if (answer !== undefined) {
      if (sentAt - this.#lastAnswerAt > COLD_AFTER_MS) this.#openSince = now;
      else if (sentAt >= this.#openSince) this.#fastestMs = Math.min(this.#fastestMs || tookMs, tookMs);
      this.#lastAnswerAt = now;
    }
    return answer?.reusedSocket ? 0 : Math.max(0, lateMs);
  }
}
