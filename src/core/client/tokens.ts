import type { TokenRequest } from "../../../generated/hey-api/types.gen.ts";
import { sleep } from "../abort.ts";
import { callHook } from "../call-hook.ts";
import { type Ending, withDeadline } from "../deadline.ts";
import {
  type ComplyCubeApiError,
  ComplyCubeError,
  RateLimitQueueFullError,
  TimeoutError,
} from "../errors.ts";
import type { Transport } from "../http/exchange.ts";
import { createOperation, type Minted, type Operation } from "../http/operation.ts";
import { batchRetryDelayMs, holdMs, retryDelayMs, StaleConnectionError } from "../http/retry.ts";
import type { Limit } from "../limit/sliding-window.ts";
import { type BatchOptions, type BatchRequest, type BatchResult, generateMany } from "./generate-many.ts";
import {
  type AttemptEvent,
  type CallSettings,
  checkRequestOptions,
  type RequestOptions,
  type Settings,
} from "./options.ts";
import { checkTokenRequest, type TokenTarget } from "./target.ts";

/** The result of one attempt: the token or the error, how long it took, and how long it waited for its place before. */
interface Outcome {
  minted?: Minted;
  error?: unknown;
  durationMs: number;
  waitedMs: number;
}

/** An event in which unknown fields may be left out. */
type AttemptReport = Pick<AttemptEvent, "attempt" | "waitedMs" | "durationMs"> & Partial<AttemptEvent>;

/** The tokens of one client: `complycube.token`. */
export class Tokens {
  readonly #settings: Settings;
  readonly #operation: Operation;
  readonly #limit: Limit | undefined;

  /** @internal */
  constructor(settings: Settings, transport: Transport, limit: Limit | undefined) {
    this.#settings = settings;
    this.#operation = createOperation(settings.baseUrl, transport);
    this.#limit = limit;
    // Bound, so that `const { generate } = complycube.token` works.
    Object.defineProperty(this, "generate", { value: this.generate.bind(this), writable: true });
  }

  /**
   * Mints the token with which one client starts one session of a ComplyCube SDK. It is valid for 60 minutes.
   *
   * @param clientId the ID of the client. Take it from your own session, never from what the page sends you.
   * @param target `{ referrer }` for the Web SDK, or `{ appId }` for a Mobile SDK
   * @returns the token, a JSON Web Token. Keep it out of logs.
   * @throws `TypeError` or `RangeError` for a wrong argument, before anything is sent; a {@link ReferrerPatternError} is a `TypeError`
   * @throws {@link ComplyCubeApiError} when the API answered, and not with 2xx; its subclasses tell 400, 401, 403 and 429 apart
   * @throws {@link ConnectionError}, {@link TimeoutError} or {@link InvalidResponseError} when no usable answer came
   * @throws {@link RateLimitQueueFullError} when too many calls already wait for the rate limit
   * @throws `signal.reason` at once when the caller aborts
   * @example await complycube.token.generate("CLIENT_ID", { referrer: "https://www.example.com/*" })
   * @example await complycube.token.generate("CLIENT_ID", { appId: "com.myapp.demo.app" })
   * @see https://docs.complycube.com/documentation/api-reference/other-resources/tokens/generate-a-token
   */
  generate(clientId: string, target: TokenTarget, options?: RequestOptions): Promise<string> {
    return this.#generate(clientId, target, options, retryDelayMs);
  }

  /**
   * Throws what `generate` would throw for this target, so that a handler's set-up fails at start.
   *
   * @internal
   */
  checkTarget(target: unknown): void {
    checkTokenRequest("CLIENT_ID", target, this.#settings);
  }

  /**
   * Mints a token for each row, as fast as the rate limit allows, and yields each result as soon as the row settles, in
   * any order. A row that fails never stops the others. Only `concurrency` rows are in memory at once. Leaving the loop
   * ends the requests in flight.
   *
   * A 429 that names no time is tried again after 30 seconds, as the API advises for batches. Tokens live 60 minutes:
   * a batch of over 36,000 with a live key outlives its own first token.
   *
   * @param requests any iterable or async iterable of `{ clientId, referrer }` or `{ clientId, appId }`, or of promises of them; read no faster than it is sent
   * @throws `TypeError` or `RangeError` for a wrong option, at once; a wrong row has its own `error`
   * @throws whatever `requests` throws, and `signal.reason` after an abort; tokens that are minted by then are yielded first
   * @example
   * for await (const { request, token, error } of complycube.token.generateMany(rows)) {
   *   if (token !== undefined) await save(request.clientId, token);
   *   else console.error(request.clientId, error);
   * }
   */
  generateMany<R extends BatchRequest>(
    requests: Iterable<R | PromiseLike<R>> | AsyncIterable<R>,
    options: BatchOptions = {},
  ): AsyncGenerator<BatchResult<R>, void, undefined> {
    const mint = (clientId: string, target: TokenTarget, each: RequestOptions) =>
      this.#generate(clientId, target, each, batchRetryDelayMs);
    return generateMany(mint, requests, options, this.#settings);
  }

  /** The loop of a call: attempts, and the waits between them. */
  async #generate(
    clientId: string,
    target: TokenTarget,
    options: RequestOptions | undefined,
    delayMs: typeof retryDelayMs,
  ): Promise<string> {
    const call = checkRequestOptions(options, this.#settings);
    const request = checkTokenRequest(clientId, target, call);
    let resent = false;

    for (let attempt = 1; ; attempt++) {
      call.signal?.throwIfAborted();
      const { minted, error, ...times } = await this.#attempt(request, call, attempt);
      if (minted !== undefined) {
        const { token, status } = minted;
        this.#report(() => ({ attempt, ...times, status, requestId: minted.requestId }));
        return token;
      }
      if (call.signal?.aborted && Object.is(error, call.signal.reason)) {
        this.#report(() => ({ attempt, ...times, errorCode: "aborted" }));
        throw error;
      }
      // This attempt sent nothing, and another would not either: the key function failed, or the queue is full.
      if (!(error instanceof ComplyCubeError) || error.code === "rate_limit_queue_full") throw error;
      error.attempts = attempt;
      const { code: errorCode } = error;
      const { status, requestId } = error as Partial<ComplyCubeApiError>;
      const holdForMs = holdMs(error);
      if (holdForMs !== undefined) this.#limit?.penalize(holdForMs);
      const isFirstStale: boolean = error instanceof StaleConnectionError && !resent;
      resent ||= isFirstStale;
      const backoffMs = isFirstStale ? 0 : delayMs(error, attempt);
      const retryInMs = attempt > call.maxRetries ? undefined : backoffMs;
      this.#report(() => ({ attempt, ...times, status, requestId, errorCode, retryInMs }));
      if (retryInMs === undefined) throw error;
      await sleep(retryInMs, call.signal);
    }
  }

  /** One attempt: the key, a place in the rate limit, the request. */
  async #attempt(request: TokenRequest, call: CallSettings, attempt: number): Promise<Outcome> {
    const { timeoutMs, signal } = call;
    const within = <T>(run: (ending: Ending) => Promise<T>) =>
      withDeadline(timeoutMs, () => new TimeoutError(timeoutMs), signal, run);
    let startedAt = performance.now();
    let waitedMs = 0;
    const took = () => ({ durationMs: performance.now() - startedAt, waitedMs });
    try {
      const given = this.#settings.apiKey();
      const key = typeof given === "string" ? given : await within(() => given);
      this.#limit?.useKey?.(key);
      const place = this.#limit?.take(signal);
      if (place !== undefined) {
        const askedAt = performance.now();
        await place; // Not awaited where there is no wait, because every await delays the request.
        waitedMs = performance.now() - askedAt;
      }
      startedAt = performance.now();
      const minted = await within(this.#operation(request, key));
      return { minted, ...took() };
    } catch (error) {
      if (error instanceof RateLimitQueueFullError) error.attempts = attempt - 1;
      return { error, ...took() };
    }
  }

  /** Calls `onAttempt`. Every event has all seven fields. */
  #report(event: () => AttemptReport): void {
    const { onAttempt } = this.#settings;
    if (onAttempt === undefined) return;
    const unknown = { status: undefined, requestId: undefined, errorCode: undefined, retryInMs: undefined };
    callHook(onAttempt, { ...unknown, ...event() });
  }
}
