/**
 * The client that Hey API generates from the spec, for those who want its calling conventions: one request, no retries
 * and no deadline, answered with `{ data, error, request, response }`.
 *
 * @module complycube-tokens/client
 * @see https://heyapi.dev
 */

export type { Client, Config } from "../generated/hey-api/client/index.ts";
export { createClient, createConfig } from "../generated/hey-api/client/index.ts";
export { client } from "../generated/hey-api/client.gen.ts";
export { generateToken, type Options } from "../generated/hey-api/sdk.gen.ts";
export type {
  Error as TokenError,
  GenerateTokenData,
  GenerateTokenErrors,
  GenerateTokenResponses,
  MobileTokenRequest,
  Token,
  TokenRequest,
  WebTokenRequest,
} from "../generated/hey-api/types.gen.ts";
