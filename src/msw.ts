/**
 * Handlers for Mock Service Worker, generated from the spec, for tests of code that calls the API. Needs the package
 * `msw`. A handler answers on any host unless `baseUrl` names one, and with 501 until it is told what to answer.
 *
 * @module complycube-tokens/msw
 * @example
 * const server = setupServer(handleGenerateToken({ body: { token: "TOKEN" } }));
 * @see https://mswjs.io
 */

export {
  createMswHandlers,
  type HandleGenerateTokenResponse,
  handleGenerateToken,
  type RequestHandlerOptions,
} from "../generated/hey-api/msw.gen.ts";
