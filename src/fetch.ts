/**
 * The plain typed client that `openapi-fetch` derives from the spec.
 *
 * @module complycube-tokens/fetch
 */

import createClient, { type Client } from "openapi-fetch";
import { BASE_URL } from "../generated/openapi/base-url.gen.ts";
import type { components, paths } from "../generated/openapi-typescript/schema.d.ts";
import {
  checkApiKey,
  checkBaseUrl,
  checkBoolean,
  checkFields,
  checkFunction,
  refuseLiveKeyOverPlainHttp,
} from "./core/checks.ts";

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
   * Accepts a `baseUrl` of plain `http` to any host, such as a mock in another container. A `live_` key is refused all
   * the same.
   *
   * @default false
   */
  dangerouslyAllowPlainHttp?: boolean | undefined;
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
  checkFields("options", options, ["apiKey", "baseUrl", "dangerouslyAllowPlainHttp", "fetch"]);
  const { baseUrl: given = BASE_URL, dangerouslyAllowPlainHttp } = options;
  const baseUrl = checkBaseUrl(given, checkBoolean("dangerouslyAllowPlainHttp", dangerouslyAllowPlainHttp));
  const apiKey = checkApiKey(options.apiKey);
  refuseLiveKeyOverPlainHttp(apiKey, baseUrl);
  const fetch = checkFunction("fetch", options.fetch);
  return createClient<paths>({
    baseUrl,
    headers: { authorization: apiKey },
    redirect: "manual",
    ...(fetch && { fetch }),
  });
}
