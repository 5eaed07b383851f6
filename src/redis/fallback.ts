import { sleep } from "../core/abort.ts";
import { callHook } from "../core/call-hook.ts";
import { HELD_MS, type SlidingWindow } from "../core/limit/sliding-window.ts";

/** Redis counts as away when an answer takes longer than this. */
export const STORE_TIMEOUT_MS = 500;
/** How often Redis is asked again while it is away. */
const PROBE_EVERY_MS = 1_000;
/**
 * How long a process waits once Redis is back. By then every process uses Redis again, and what each sent alone is a
 * second old.
 */
const RETURN_HOLD_MS = PROBE_EVERY_MS + STORE_TIMEOUT_MS + HELD_MS;
const BACK = Symbol("Redis is back");

/** The limit of one process while Redis is away: its own share, or none, and then calls fail with Redis's error. */
export class Fallback {
  readonly #own: SlidingWindow | undefined;
  readonly #onError: ((error: unknown) => void) | undefined;
  readonly #probe: () => Promise<unknown>;
  #error: unknown;
  #probeAt = 0;
  #heldUntil = 0;
  isAway = false;

  /** @param probe asks Redis whether it is there */
  constructor(
    own: SlidingWindow | undefined,
    onError: ((error: unknown) => void) | undefined,
    probe: () => Promise<unknown>,
  ) {
    this.#own = own;
    this.#onError = onError;
    this.#probe = probe;
  }

  /** Called with an error of Redis. `onError` is called with the first one only, until Redis is back. */
  leave(error: unknown): void {
    this.#error = error;
    this.#probeAt = performance.now() + PROBE_EVERY_MS;
    if (this.isAway) return;
    this.isAway = true;
    this.penalize(HELD_MS); // This process does not know what the others sent in the last second.
    callHook(this.#onError ?? warn, error);
  }

  penalize(ms: number): void {
    this.#own?.penalize(ms);
  }

  /** Resolves to `true` once a place of this process's own share has come, or to `false` when Redis has to be asked. */
  async place(signal: AbortSignal | undefined): Promise<boolean> {
    if (this.isAway && this.#own === undefined) {
      if (performance.now() < this.#probeAt) throw this.#error;
      return false;
    }
    try {
      this.#look();
      await this.#own?.take(signal, () => this.#look());
      return true;
    } catch (error) {
      if (error !== BACK) throw error;
      const ms = this.#heldUntil - performance.now();
      if (ms > 0) await sleep(ms, signal);
      return false;
    }
  }

  /** Called when Redis answers. */
  return(): void {
    if (!this.isAway) return;
    this.isAway = false;
    if (this.#own !== undefined) this.#heldUntil = performance.now() + RETURN_HOLD_MS;
  }

  /** Throws when Redis is back; otherwise asks Redis again from time to time, without waiting for the answer. */
  #look(): void {
    if (!this.isAway) throw BACK;
    if (performance.now() < this.#probeAt) return;
    this.#probeAt = performance.now() + PROBE_EVERY_MS;
    this.#probe().catch(() => {});
  }
}

function warn(error: unknown): void {
  console.warn(`complycube-tokens/redis: Redis is away: ${(error as Error | undefined)?.message}`);
}
