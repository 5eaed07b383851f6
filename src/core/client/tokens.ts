import { ComplyCubeApiError, ComplyCubeError } from "../errors.ts";
import { type Attempt, runAttempt } from "../http/deadline.ts";
import { createTransport, type Minted, type TokenRequest, type Transport } from "../http/operation.ts";
import { batchRetryDelayMs, holdMs, retryDelayMs, sleep } from "../http/retry.ts";
import { createLimit } from "../limit/account-limit.ts";
import type { Limit } from "../limit/sliding-window.ts";
import { type BatchOptions, type BatchRequest, type BatchResult, generateMany } from "./generate-many.ts";
import { type AttemptEvent, checkRequestOptions, type RequestOptions, type Settings } from "./options.ts";
import { checkTokenRequest, type TokenTarget } from "./target.ts";

/** The tokens of one client: `complycube.token`. */
export class Tokens {
  readonly #settings: Settings;
  readonly #transport: Transport;
  readonly #limit: Limit | undefined;

  /** @internal */
  constructor(settings: Settings) {
    this.#settings = settings;
    this.#transport = createTransport(settings.baseUrl, settings.fetch);
    this.#limit = createLimit(settings);
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
   * Mints a token for each row, as fast as the rate limit allows, and yields what each came to as it settles, in any
   * order. A row that fails never stops the others; a million rows take no more memory than `concurrency` of them.
   * Leaving the loop ends what is in flight.
   *
   * A 429 that names no time is tried again after 30 seconds, as the API advises for batches. Tokens live 60 minutes:
   * a batch of over 36,000 with a live key outlives its own first token.
   *
   * @param requests any iterable or async iterable of `{ clientId, referrer }` or `{ clientId, appId }`; read no faster than it is sent
   * @throws `TypeError` or `RangeError` for a wrong option, at once; what a row is wrong about is that row's `error`
   * @throws what `requests` throws, and `signal.reason` after an abort, once what was minted already is yielded
   * @example
   * for await (const { request, token, error } of complycube.token.generateMany(rows)) {
   *   if (token !== undefined) await save(request.clientId, token);
   *   else console.error(request.clientId, error);
   * }
   */
  generateMany<R extends BatchRequest>(
    requests: Iterable<R> | AsyncIterable<R>,
    options: BatchOptions = {},
  ): AsyncGenerator<BatchResult<R>, void, undefined> {
    const mint = (clientId: string, target: TokenTarget, each: RequestOptions) =>
      this.#generate(clientId, target, each, batchRetryDelayMs);
    return generateMany(mint, requests, options, this.#settings);
  }

  async #generate(
    clientId: string,
    target: TokenTarget,
    options: RequestOptions | undefined,
    delayMs: typeof retryDelayMs,
  ): Promise<string> {
    const call = checkRequestOptions(options, this.#settings);
    const request = checkTokenRequest(clientId, target, call);
    const { signal } = call;

    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      const turn = this.#limit?.take(signal, attempt - 1);
      if (turn !== undefined) {
        await turn; // Only then: even an await of nothing is a delay.
        signal?.throwIfAborted(); // A limiter of one's own may grant the turn and abort in one go.
      }
      const startedAt = performance.now();
      try {
        const { token, status, requestId } = await runAttempt(call.timeoutMs, signal, (running) =>
          this.#send(request, running),
        );
        this.#limit?.settled?.(startedAt, true);
        this.#report(() => ({
          attempt,
          durationMs: performance.now() - startedAt,
          status,
          requestId: requestId(),
        }));
        return token;
      } catch (error) {
        const durationMs = performance.now() - startedAt;
        this.#limit?.settled?.(startedAt, error instanceof ComplyCubeApiError);
        if (signal?.aborted && Object.is(error, signal.reason)) {
          this.#report(() => ({ attempt, durationMs, errorCode: "aborted" }));
          throw error;
        }
        // The apiKey function failed, and nothing was sent.
        if (!(error instanceof ComplyCubeError) || error.code === "rate_limit_queue_full") throw error;
        const errorCode = error.code;
        error.attempts = attempt;
        const hold = holdMs(error);
        if (hold !== undefined) this.#limit?.penalize(hold);
        const retryInMs = attempt > call.maxRetries ? undefined : delayMs(error, attempt);
        this.#report(() => ({ attempt, durationMs, ...error, errorCode, retryInMs }));
        if (retryInMs === undefined) throw error;
        await sleep(retryInMs, signal);
      }
    }
  }

  #send(request: TokenRequest, attempt: Attempt): Promise<Minted> {
    const key = this.#settings.apiKey();
    if (typeof key === "string") return this.#transport(request, key, attempt);
    return key.then((late) => {
      this.#limit?.useKey?.(late);
      attempt.signal.throwIfAborted(); // Not every fetch looks at its signal before it sends.
      return this.#transport(request, late, attempt);
    });
  }

  /** Whatever the hook does, the call goes on as if there were none. */
  #report(describe: () => Partial<AttemptEvent> & Pick<AttemptEvent, "attempt" | "durationMs">): void {
    const { onAttempt } = this.#settings;
    if (onAttempt === undefined) return;
    // Field by field, so that nothing else of an error or an answer gets into the event.
    const { attempt, durationMs, status, requestId, errorCode, retryInMs } = describe();
    try {
      const result: unknown = onAttempt({ attempt, durationMs, status, requestId, errorCode, retryInMs });
      Promise.resolve(result).catch(() => {});
    } catch {}
  }
}
