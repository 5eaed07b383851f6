/**
 * The client that Hey API generates from the spec, for those who want its calling conventions: one request without retries
 * and without a deadline, which resolves to `{ data, error, request, response }`. `generateToken` needs a `client`, which
 * holds the API key and the address of the API. Redirects are not followed, and no cache keeps the answer.
 *
 * `error` is set for every status that is not 2xx, and for a 2xx that holds no token; `data` is set for no other answer.
 * Where an answer has no error body, the error's `type` is `unreadable_answer`. With a `parseAs` of your own, a 2xx is not
 * checked.
 *
 * @module complycube-tokens/client
 * @example
 * const client = createClient({ baseUrl: "https://api.complycube.com", auth: process.env.COMPLYCUBE_API_KEY });
 * const { data, error } = await generateToken({ client, body: { clientId: "CLIENT_ID", appId: "com.myapp.demo.app" } });
 * @see https://heyapi.dev
 */

import {
  type Client,
  type Config,
  createClient as createPlainClient,
} from "../generated/hey-api/client/index.ts";
import { BASE_URL } from "../generated/openapi/constants.gen.ts";
import { noStore } from "./core/no-store.ts";
import { tokenBody, unreadable } from "./core/plain-answer.ts";

export type { Client, Config } from "../generated/hey-api/client/index.ts";
export { createConfig } from "../generated/hey-api/client/index.ts";
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

/** Returns a client with its own settings, for the `client` option of `generateToken`. */
export function createClient(config: Config = {}): Client {
  const client = createPlainClient({ parseAs: "json", ...noStore(), ...config });
  client.interceptors.response.use(async (response, _request, { parseAs }) => {
    if (!response.ok || parseAs !== "json") return response;
    const text = await response.clone().text();
    if (tokenBody(text) === undefined) throw unreadable(response);
    return response;
  });
  client.interceptors.error.use((error, response) => error || (response && unreadable(response)));
  return client;
}

/** A client at the API's own address, shared by the whole process. It holds no API key: pass `auth` to each call. */
export const client: Client = /* @__PURE__ */ createClient({ baseUrl: BASE_URL });
