/**
 * Handlers for Mock Service Worker, generated from the spec, for tests of code that calls the API.
 *
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
