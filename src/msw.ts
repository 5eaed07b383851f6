/**
 * Handlers for Mock Service Worker, generated from the spec, for tests of code that calls the API. Needs the package
 * `msw`.
 *
 * @module complycube-tokens/msw
 * @example
 * const server = setupServer(handleGenerateToken({ body: { token: "TOKEN" } }));
 * @see https://mswjs.io
 */

export {
  /** Makes the handlers of the whole spec with the same options; `all()` gives them as a list. */
  createMswHandlers,
  /** What the mocked endpoint answers. */
  type HandleGenerateTokenResponse,
  /**
   * Makes the handler of `POST /v1/tokens`, on any host unless `baseUrl` names one. Without a response it answers 501.
   *
   * @example handleGenerateToken({ body: { token: "TOKEN" } })
   * @example handleGenerateToken(() => HttpResponse.json({ type: "rate_limit_exceeded", message: "…" }, { status: 429 }))
   */
  handleGenerateToken,
  /** Where the mocked API is, and what happens to a call without a response. */
  type RequestHandlerOptions,
} from "../generated/hey-api/msw.gen.ts";
