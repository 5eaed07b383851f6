import { onAbort, orAborted } from "../abort.ts";
import { TimeoutError } from "../errors.ts";

/**
 * Runs one attempt under a deadline and the caller's signal. Whichever comes first settles it, even where `run` takes no
 * notice of its own signal. Leaves no timer and no listener behind.
 */
export async function withDeadline<T>(
  timeoutMs: number,
  callerSignal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  callerSignal?.throwIfAborted();
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(new TimeoutError(timeoutMs)), timeoutMs);
  const release = onAbort(callerSignal, () => ending.abort(callerSignal?.reason));
  try {
    return await orAborted(run(ending.signal), ending.signal);
  } finally {
    clearTimeout(timer);
    release();
  }
}
