/** The longest time that a request counts as late. */
const MAX_LATE_MS = 1_000;
/** The global fetch of Node.js closes a connection that was idle for this long. */
const COLD_AFTER_MS = 4_000;

/**
 * Estimates how late a request left through a `fetch`, which does not tell: as much as its answer was later than the
 * fastest one on an open connection. Its connection had to be opened first, the event loop was busy, or only the API was.
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
    // Those that were sent before it was known may each have opened a connection, as the fastest of them.
    const fastestMs = sentAt >= this.#knownSince ? this.#fastestMs : 0;
    if (answered) {
      if (sentAt - this.#lastAnswerAt > COLD_AFTER_MS) this.#openSince = now;
      else if (sentAt >= this.#openSince && tookMs > 0) {
        this.#fastestMs = Math.min(this.#fastestMs, tookMs);
        this.#knownSince = Math.min(this.#knownSince, now);
      }
      this.#lastAnswerAt = now;
    }
    return Math.min(Math.max(0, tookMs - fastestMs), MAX_LATE_MS);
  }
}

const byBaseUrl = new Map<string, Lateness>();

/** Returns what is known of one API. All clients of the process share it: a new one for each request would know nothing. */
export function latenessTo(baseUrl: string): Lateness {
  const lateness = byBaseUrl.get(baseUrl) ?? new Lateness();
  byBaseUrl.set(baseUrl, lateness);
  return lateness;
}
