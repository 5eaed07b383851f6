/** The longest time that a request counts as late. */
const MAX_LATE_MS = 1_000;
/** The global fetch of Node.js closes a connection that was idle for this long. */
const COLD_AFTER_MS = 4_000;

/**
 * Estimates how late a request left through a `fetch`, which does not tell: as much as its answer was later than the
 * fastest one on an open connection. Its connection had to be opened first, the event loop was busy, or only the API was.
 * It is called when the request that was sent at this time is answered, or has failed without an answer.
 */
export type Lateness = (sentAt: number, answered: boolean) => number;

/** Makes one that knows of no answer yet. */
export function newLateness(): Lateness {
  /** When the connections that are open now brought their first answer. */
  let openSince = 0;
  let lastAnswerAt = Number.NEGATIVE_INFINITY;
  /** The time of the fastest answer on an open connection, and since when one is known. */
  let fastestMs = Number.POSITIVE_INFINITY;
  let knownSince = Number.POSITIVE_INFINITY;

  return (sentAt, answered) => {
    const now = performance.now();
    const tookMs = now - sentAt;
    // Those that were sent before it was known may each have opened a connection, as the fastest of them.
    const lateMs = sentAt < knownSince ? tookMs : tookMs - fastestMs;
    if (answered) {
      if (sentAt - lastAnswerAt > COLD_AFTER_MS) openSince = now;
      else if (sentAt >= openSince && tookMs > 0) {
        fastestMs = Math.min(fastestMs, tookMs);
        knownSince = Math.min(knownSince, now);
      }
      lastAnswerAt = now;
    }
    return Math.min(Math.max(0, lateMs), MAX_LATE_MS);
  };
}

const byBaseUrl: Record<string, Lateness> = Object.create(null);

/** Returns what is known of one API. All clients of the process share it: a new one for each request would know nothing. */
export function latenessTo(baseUrl: string): Lateness {
  byBaseUrl[baseUrl] ??= newLateness();
  return byBaseUrl[baseUrl];
}
