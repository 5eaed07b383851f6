/**
 * The client that Hey API generates from the spec, for those who want its calling conventions: one request, no retries
 * and no deadline, answered with `{ data, error, request, response }`.
 *
 * @module complycube-tokens/client
 * @see https://heyapi.dev
 */

export type {
  /** A generated client: its methods, its settings, its interceptors. */
  Client,
  /** The settings of a client or of one call. */
  Config,
} from "../generated/hey-api/client/index.ts";
export {
  /** Makes a client of its own settings, to pass to `generateToken` as `client`. */
  createClient,
  /** Fills in the default settings of a client. */
  createConfig,
} from "../generated/hey-api/client/index.ts";
export {
  /** The client that `generateToken` uses when it is given none. It is shared by the whole process, and holds no key. */
  client,
} from "../generated/hey-api/client.gen.ts";
export {
  generateToken,
  /** What `generateToken` is given: the body, and the settings of this call. */
  type Options,
} from "../generated/hey-api/sdk.gen.ts";
export type {
  Error as TokenError,
  /** The request of `generateToken`. */
  GenerateTokenData,
  /** The body of each status that is not 2xx. */
  GenerateTokenErrors,
  /** The body of each status that is 2xx. */
  GenerateTokenResponses,
  MobileTokenRequest,
  Token,
  TokenRequest,
  WebTokenRequest,
} from "../generated/hey-api/types.gen.ts";
