import { onAbort, orAborted } from "./abort.ts";

/**
 * Runs something under a deadline and the caller's signal. The first of the two to come rejects at once, even where `run`
 * ignores the signal that it is called with. No timer and no listener is left behind.
 *
 * @param timeoutError makes the error of the deadline, at the moment when it passes
 */
export async function withDeadline<T>(
  timeoutMs: number,
  timeoutError: () => Error,
  callerSignal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  callerSignal?.throwIfAborted();
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(timeoutError()), timeoutMs);
  const release = onAbort(callerSignal, () => ending.abort(callerSignal?.reason));
  try {
    return await orAborted(run(ending.signal), ending.signal);
  } finally {
    clearTimeout(timer);
    release();
  }
}
