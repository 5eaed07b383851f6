import { TimeoutError } from "./errors.ts";

/**
 * Runs one attempt under a deadline and the caller's signal; whichever comes first settles it, even where what runs
 * takes no notice of its own signal. Leaves no timer and no listener behind.
 */
export function withDeadline<T>(
  timeoutMs: number,
  callerSignal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const controller = new AbortController();
    const stop = (reason: unknown) => {
      release();
      reject(reason);
      controller.abort(reason);
    };
    const timer = setTimeout(() => stop(new TimeoutError(timeoutMs)), timeoutMs);
    const abort = callerSignal && (() => stop(callerSignal.reason));
    const release = () => {
      clearTimeout(timer);
      if (abort) callerSignal.removeEventListener("abort", abort);
    };
    if (abort) callerSignal.addEventListener("abort", abort);
    run(controller.signal).then(
      (value) => {
        release();
        resolve(value);
      },
      (error) => {
        release();
        reject(error);
      },
    );
  });
}
