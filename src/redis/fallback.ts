import { sleep } from "../core/abort.ts";
import { callHook } from "../core/call-hook.ts";
import { HELD_MS, type SlidingWindow } from "../core/limit/sliding-window.ts";

/** A Redis that takes longer than this to answer is away. */
export const STORE_TIMEOUT_MS = 500;
/** How often a Redis that is away is asked again. */
const PROBE_EVERY_MS = 1_000;
/** After that long every process has found Redis back, and what each sent by itself is a second old. */
const RETURN_HOLD_MS = PROBE_EVERY_MS + STORE_TIMEOUT_MS + HELD_MS;
const BACK = Symbol("Redis is back");

/** What a process does while Redis is away: it keeps to its own share, or fails its calls with Redis's error. */
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

  /** Called with what Redis failed with. It is told once, until Redis is back. */
  leave(error: unknown): void {
    this.#error = error;
    this.#probeAt = performance.now() + PROBE_EVERY_MS;
    if (this.isAway) return;
    this.isAway = true;
    this.penalize(HELD_MS); // What the fleet sent in the last second is not known here.
    callHook(this.#onError ?? warn, error);
  }

  penalize(ms: number): void {
    this.#own?.penalize(ms);
  }

  /** Resolves to `true` with a place of this process's own, or to `false` when Redis is there to be asked. */
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

  /** Asks Redis again beside the calls, which go on meanwhile, and throws when it is back. */
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
