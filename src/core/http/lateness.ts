/** The longest time that a request counts as late. */
const MAX_LATE_MS = 1_000;
/** The global fetch of Node.js closes a connection that was idle for this long. */
const COLD_AFTER_MS = 4_000;

/**
 * Estimates how late a request left through a `fetch`, which does not tell: as much as its answer was later than the
 * fastest one on an open connection. Its connection had to be opened first, or the event loop was busy, or the API was.
 */
export class Lateness {
  /** When the connections that are open now brought their first answer. */
  #openSince = 0;
  #lastAnswerAt = Number.NEGATIVE_INFINITY;
  /** The time of the fastest answer on an open connection, and since when one is known. */
  #fastestMs = Number.POSITIVE_INFINITY;
  #knownSince = Number.POSITIVE_INFINITY;

  /** Called when the request that was sent at this time is answered, or has failed without an answer. */
  of(sentAt: number, answered: boolean): number {
    const now = performance.now();
    const tookMs = now - sentAt;
    // Those that were sent before may have opened a connection each, and the fastest of them too.
    const fastestMs = sentAt >= this.#knownSince ? this.#fastestMs : 0;
    if (answered) {
      if (sentAt - this.#lastAnswerAt > COLD_AFTER_MS) this.#openSince = now;
      else if (sentAt >= this.#openSince) {
        this.#fastestMs = Math.min(this.#fastestMs, tookMs);
        this.#knownSince = Math.min(this.#knownSince, now);
      }
      this.#lastAnswerAt = now;
    }
    return Math.min(Math.max(0, tookMs - fastestMs), MAX_LATE_MS);
  }
}

const byBaseUrl = new Map<string, Lateness>();

/** Returns what is known of one API. All clients of the process share it, as they share their connections. */
export function latenessTo(baseUrl: string): Lateness {
  const lateness = byBaseUrl.get(baseUrl) ?? new Lateness();
  byBaseUrl.set(baseUrl, lateness);
  return lateness;
}
