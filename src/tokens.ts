import { type Attempt, runAttempt } from "./attempt.ts";
import { ComplyCubeError } from "./errors.ts";
import { type AttemptEvent, checkRequestOptions, type RequestOptions, type Settings } from "./options.ts";
import { retryDelayMs, sleep } from "./retry.ts";
import { checkTokenRequest, type TokenTarget } from "./target.ts";
import { createTransport, type Minted, type TokenRequest, type Transport } from "./transport.ts";

/** The tokens of one client: `complycube.token`. */
export class Tokens {
  readonly #settings: Settings;
  readonly #transport: Transport;

  /** @internal */
  constructor(settings: Settings) {
    this.#settings = settings;
    this.#transport = createTransport(settings.baseUrl, settings.fetch);
  }

  /**
   * Mints the token with which one client starts one session of a ComplyCube SDK. It is valid for 60 minutes.
   *
   * @param clientId the ID of the client. Take it from your own session, never from what the page sends you.
   * @param target `{ referrer }` for the Web SDK, or `{ appId }` for a Mobile SDK
   * @returns the token, a JSON Web Token. Keep it out of logs.
   * @throws TypeError or RangeError for a wrong argument, before anything is sent; a ReferrerPatternError is a TypeError
   * @throws ComplyCubeApiError when the API answered, and not with 2xx; its subclasses tell 400, 401, 403 and 429 apart
   * @throws ConnectionError, TimeoutError or InvalidResponseError when no usable answer came
   * @throws `signal.reason` at once when the caller aborts
   * @example await complycube.token.generate("CLIENT_ID", { referrer: "https://www.example.com/*" })
   * @example await complycube.token.generate("CLIENT_ID", { appId: "com.myapp.demo.app" })
   * @see https://docs.complycube.com/documentation/api-reference/other-resources/tokens/generate-a-token
   */
  async generate(clientId: string, target: TokenTarget, options?: RequestOptions): Promise<string> {
    const call = checkRequestOptions(options, this.#settings);
    const request = checkTokenRequest(clientId, target, call.allowAnyReferrer);
    const { signal } = call;

    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      const startedAt = performance.now();
      try {
        const { token, status, requestId } = await runAttempt(call.timeoutMs, signal, (running) =>
          this.#send(request, running),
        );
        this.#report(() => ({
          attempt,
          durationMs: performance.now() - startedAt,
          status,
          requestId: requestId(),
        }));
        return token;
      } catch (error) {
        const durationMs = performance.now() - startedAt;
        if (signal?.aborted && Object.is(error, signal.reason)) {
          this.#report(() => ({ attempt, durationMs, errorCode: "aborted" }));
          throw error;
        }
        if (!(error instanceof ComplyCubeError)) throw error; // The apiKey function failed: nothing was sent.
        error.attempts = attempt;
        const retryInMs = attempt > call.maxRetries ? undefined : retryDelayMs(error, attempt);
        this.#report(() => ({ attempt, durationMs, ...error, errorCode: error.code, retryInMs }));
        if (retryInMs === undefined) throw error;
        await sleep(retryInMs, signal);
      }
    }
  }

  #send(request: TokenRequest, attempt: Attempt): Promise<Minted> {
    const key = this.#settings.apiKey();
    if (typeof key === "string") return this.#transport(request, key, attempt);
    return key.then((late) => {
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
