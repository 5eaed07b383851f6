/**
 * Calls `listener` when the signal aborts, or at once where it has aborted. Returns a function that removes the
 * listener.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal?.aborted) listener();
  else signal?.addEventListener("abort", listener);
  return () => signal?.removeEventListener("abort", listener);
}

/** Settles as `promise` does, or rejects with the signal's reason as soon as the signal aborts. */
export async function orAborted<T>(promise: PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let release = () => {};
  const aborted = new Promise<never>((_, reject) => {
    release = onAbort(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    release();
  }
}

/**
 * Waits for `ms` milliseconds, or rejects with the signal's reason as soon as the signal aborts. Leaves no timer
 * behind.
 */
export async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const slept = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await orAborted(slept, signal);
  } finally {
    clearTimeout(timer);
  }
}
