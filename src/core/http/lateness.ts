/** The longest time that a request counts as late. */
const MAX_LATE_MS = 1_000;
/** The global fetch of Node.js closes a connection that was idle for this long. */
const COLD_AFTER_MS = 4_000;

/**
 * Estimates how late a request left through a `fetch`, which does not report it: as much as its answer was later than the
 * fastest one on an open connection. Its connection had to be opened first, the event loop was busy, or only the API was.
 *
 * The function is called when a request has its answer or has failed. Refusals may come from a gateway in front of the API,
 * so only a request that succeeded tells how fast an answer can be.
 */
export type Lateness = (sentAt: number, succeeded: boolean) => number;

/** Makes one that knows of no answer yet. */
export function newLateness(): Lateness {
  /** When the connections that are open now brought their first answer. */
  let openSince = 0;
  let lastAnswerAt = Number.NEGATIVE_INFINITY;
  /** The time of the fastest answer on an open connection, and since when one is known. */
  let fastestMs = Number.POSITIVE_INFINITY;
  let knownSince = Number.POSITIVE_INFINITY;

  return (sentAt, succeeded) => {
    const now = performance.now();
    const tookMs = now - sentAt;
    // Until the fastest is known, a request may have waited for its connection all that time.
    const lateMs = sentAt < knownSince ? tookMs : tookMs - fastestMs;
    if (succeeded) {
      if (sentAt - lastAnswerAt > COLD_AFTER_MS) {
        openSince = now;
        knownSince = fastestMs = Number.POSITIVE_INFINITY; // The way to the API may be another by now.
      } else if (sentAt >= openSince && now > sentAt) {
        fastestMs = Math.min(fastestMs, tookMs);
        knownSince = Math.min(knownSince, now);
      }
      lastAnswerAt = now;
    }
    return Math.max(0, Math.min(lateMs, MAX_LATE_MS));
  };
}

const byBaseUrl: Record<string, Lateness> = Object.create(null);

/** Returns what is known of one API. All clients of the process share it, because some apps make one for each request. */
export function latenessTo(baseUrl: string): Lateness {
  byBaseUrl[baseUrl] ??= newLateness();
  return byBaseUrl[baseUrl];
}
