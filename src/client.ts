/**
 * The client that Hey API generates from the spec, for those who want its calling conventions: one request, no retries
 * and no deadline, answered with `{ data, error, request, response }`. `generateToken` needs a `client`, which holds the
 * API key and the address of the API.
 *
 * @module complycube-tokens/client
 * @example
 * const client = createClient({ baseUrl: "https://api.complycube.com", auth: process.env.COMPLYCUBE_API_KEY });
 * const { data, error } = await generateToken({ client, body: { clientId: "CLIENT_ID", appId: "com.myapp.demo.app" } });
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
