import { TimeoutError } from "../errors.ts";

/** One attempt that is under way, as a transport sees it. */
export class Attempt {
  /** Whether the attempt has ended early: what still arrives is to be thrown away. */
  stopped = false;
  /** Called once when the attempt ends early, by a transport that needs no `AbortSignal`, which is costly to make. */
  onStop: (() => void) | undefined;
  #controller: AbortController | undefined;
  #reason: unknown;

  /** Made when it is first asked for. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.stopped) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  stop(reason: unknown): void {
    this.stopped = true;
    this.#reason = reason;
    this.onStop?.();
    this.#controller?.abort(reason);
  }
}

/**
 * Runs one attempt under a deadline and the caller's signal; whichever comes first settles it, even where what runs
 * takes no notice of being stopped. Leaves no timer and no listener behind.
 */
export function runAttempt<T>(
  timeoutMs: number,
  callerSignal: AbortSignal | undefined,
  run: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const attempt = new Attempt();
    const stop = (reason: unknown) => {
      release();
      reject(reason);
      attempt.stop(reason);
    };
    const timer = setTimeout(() => stop(new TimeoutError(timeoutMs)), timeoutMs);
    const abort = callerSignal && (() => stop(callerSignal.reason));
    const release = () => {
      clearTimeout(timer);
      if (abort) callerSignal.removeEventListener("abort", abort);
    };
    if (abort) callerSignal.addEventListener("abort", abort);
    run(attempt).then(
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
