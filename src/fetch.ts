/**
 * The plain typed client that `openapi-fetch` derives from the spec.
 *
 * @module complycube-tokens/fetch
 */

import createClient, { type Client } from "openapi-fetch";
import { BASE_URL } from "../generated/openapi/base-url.gen.ts";
import type { components, paths } from "../generated/openapi-typescript/schema.d.ts";
import { checkApiKey, checkBaseUrl, checkFields, checkFunction } from "./core/checks.ts";

export type { components, paths };

/** What `createTokensFetch` needs to know. */
export interface TokensFetchOptions {
  /** The bare `live_` or `test_` API key. */
  apiKey: string;
  /**
   * Where the API is. `https`, except for loopback hosts.
   *
   * @default "https://api.complycube.com"
   */
  baseUrl?: string | undefined;
  /**
   * What sends the request.
   *
   * @default the global `fetch`
   */
  fetch?: ((request: Request) => Promise<Response>) | undefined;
}

/**
 * Makes the plain typed client that `openapi-fetch` derives from the spec: one request, no retries and no deadline,
 * answered with `{ data, error, response }`. Redirects are not followed.
 *
 * @throws `TypeError` that names a wrong or missing option, and never shows the API key
 * @example
 * const { data, error } = await createTokensFetch({ apiKey }).POST("/v1/tokens", {
 *   body: { clientId: "CLIENT_ID", referrer: "https://www.example.com/*" },
 * });
 * @see https://openapi-ts.dev/openapi-fetch/
 */
export function createTokensFetch(options: TokensFetchOptions): Client<paths> {
  checkFields("options", options, ["apiKey", "baseUrl", "fetch"]);
  const { baseUrl = BASE_URL } = options;
  const fetch = checkFunction("fetch", options.fetch);
  return createClient<paths>({
    baseUrl: checkBaseUrl(baseUrl),
    headers: { authorization: checkApiKey(options.apiKey) },
    redirect: "manual",
    ...(fetch && { fetch }),
  });
}
