/**
 * Handlers for Mock Service Worker, generated from the spec, for tests of code that calls the API. Needs the package
 * `msw`. A handler answers on any host unless `baseUrl` names one, and with 501 when it is made without an answer.
 *
 * @module complycube-tokens/msw
 * @example
 * const server = setupServer(handleGenerateToken({ body: { token: "TOKEN" } }));
 * // An error answer is given by a function, as the object's types know 200 only.
 * server.use(handleGenerateToken(() => HttpResponse.json({ type: "unauthorized", message: "No" }, { status: 401 })));
 * @see https://mswjs.io
 */

export {
  createMswHandlers,
  type HandleGenerateTokenResponse,
  handleGenerateToken,
  type RequestHandlerOptions,
} from "../generated/hey-api/msw.gen.ts";
