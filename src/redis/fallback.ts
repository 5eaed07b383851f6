import { callHook } from "../core/call-hook.ts";
import { HELD_MS, type SlidingWindow } from "../core/limit/sliding-window.ts";

/** Redis counts as away when an answer takes longer than this. */
export const STORE_TIMEOUT_MS = 500;
/** How often Redis is asked again while it is away. */
export const PROBE_EVERY_MS = 1_000;
/**
 * How long a process waits once Redis is back. By then every process uses Redis again, and what each sent alone is a
 * second old.
 */
export const RETURN_HOLD_MS = PROBE_EVERY_MS + STORE_TIMEOUT_MS + HELD_MS;

/** What a process does while Redis is away: it keeps to its own share, or fails its calls with Redis's error. */
export class Fallback {
  /** The share of this process; without one, calls fail. */
  readonly own: SlidingWindow | undefined;
  readonly #onError: (error: unknown) => void;
  #probeAt = 0;
  isAway = false;
  /** Redis's own error. */
  error: unknown;

  constructor(own: SlidingWindow | undefined, onError: ((error: unknown) => void) | undefined) {
    this.own = own;
    this.#onError = onError ?? warn;
  }

  /** Called with an error of Redis. `onError` is called with the first one only, until Redis is back. */
  goAway(error: unknown): void {
    this.error = error;
    this.#probeAt = performance.now() + PROBE_EVERY_MS;
    if (this.isAway) return;
    this.isAway = true;
    this.own?.penalize(HELD_MS); // This process does not know what the others sent in the last second.
    callHook(this.#onError, error);
  }

  /** Called when Redis answers. Returns for how many milliseconds this process must send nothing. */
  comeBack(): number {
    if (!this.isAway) return 0;
    this.isAway = false;
    return this.own === undefined ? 0 : RETURN_HOLD_MS; // Without a share it has sent nothing.
  }

  /** Returns for how many milliseconds it has been time to ask Redis again; less than 0 where it is not. */
  probe(): number {
    const now = performance.now();
    const overdueMs = now - this.#probeAt;
    if (overdueMs >= 0) this.#probeAt = now + PROBE_EVERY_MS;
    return overdueMs;
  }
}

function warn(error: unknown): void {
  console.warn(`complycube-tokens/redis: Redis is away: ${(error as Error | undefined)?.message}`);
}
