/**
 * The plain typed client that `openapi-fetch` derives from the spec.
 *
 * @module complycube-tokens/fetch
 */

import createClient, { type Client } from "openapi-fetch";
import { BASE_URL, KEY_HEADER } from "../generated/openapi/constants.gen.ts";
import type { components, paths } from "../generated/openapi-typescript/schema.d.ts";
import { checkApiKey, checkBaseUrl, checkBoolean, checkFields, checkFunction } from "./core/checks.ts";
import { noStore } from "./core/no-store.ts";
import { tokenBody, unreadable } from "./core/plain-answer.ts";

export type { components, paths };

/** The options of `createTokensFetch`. */
export interface TokensFetchOptions {
  /** The bare `live_` or `test_` API key. */
  apiKey: string;
  /**
   * The address of the API. It must be `https`, except for loopback hosts.
   *
   * @default "https://api.complycube.com"
   */
  baseUrl?: string | undefined;
  /**
   * Accepts a `baseUrl` of plain `http` to any host, such as a mock in another container. A `live_` key is still
   * refused.
   *
   * @default false
   */
  dangerouslyAllowPlainHttp?: boolean | undefined;
  /**
   * The function that sends the request.
   *
   * @default the global `fetch`
   */
  fetch?: ((request: Request) => Promise<Response>) | undefined;
}

/**
 * Returns the plain typed client that `openapi-fetch` derives from the spec: one request without retries and without a
 * deadline, which resolves to `{ data, error, response }`. Redirects are not followed, and no cache keeps the answer.
 *
 * `error` is set for every status that is not 2xx, and for a 2xx that holds no token; `data` is set for no other answer.
 * Where an answer has no error body, the error's `type` is `unreadable_answer`. With a `parseAs` other than `"json"`, a 2xx
 * is not checked.
 *
 * @throws `TypeError` that names a wrong or missing option, and never shows the API key
 * @example
 * const { data, error } = await createTokensFetch({ apiKey }).POST("/v1/tokens", {
 *   body: { clientId: "CLIENT_ID", referrer: "https://www.example.com/*" },
 * });
 * @see https://openapi-ts.dev/openapi-fetch/
 */
export function createTokensFetch(options: TokensFetchOptions): Client<paths> {
  const own = checkFields("options", options, ["apiKey", "baseUrl", "dangerouslyAllowPlainHttp", "fetch"]);
  const isPlainAllowed = checkBoolean("dangerouslyAllowPlainHttp", own.dangerouslyAllowPlainHttp);
  const baseUrl = checkBaseUrl(
    own.baseUrl === undefined ? BASE_URL : own.baseUrl,
    () => isPlainAllowed ?? false,
  );
  const apiKey = checkApiKey(own.apiKey, baseUrl);
  const fetch = checkFunction("fetch", own.fetch) ?? ((request: Request) => globalThis.fetch(request));
  const client = createClient<paths>({
    ...NOTHING_INHERITED,
    baseUrl,
    headers: { [KEY_HEADER]: apiKey },
    redirect: "manual",
    ...noStore(),
    fetch,
  });
  const request = async (method: string, path: string, init: Init = {}) => {
    const parseAs = Object.hasOwn(init, "parseAs") ? init.parseAs : "json";
    // Read as text, because openapi-fetch throws where a body is not JSON.
    const sent = { ...NOTHING_INHERITED, ...init, parseAs: parseAs === "json" ? "text" : parseAs };
    const { data, error, response } = await (client.request as Send)(method, path, sent);
    if (!response.ok) return { error: error || unreadable(response), response };
    const content = parseAs === "json" ? tokenBody(String(data)) : data;
    return content === undefined ? { error: unreadable(response), response } : { data: content, response };
  };
  const post = (path: string, init?: Init) => request("post", path, init);
  return { ...client, request, POST: post } as unknown as Client<paths>;
}

type Init = Record<string, unknown>;
type Send = (
  method: string,
  path: string,
  init: Init,
) => Promise<{ data?: unknown; error?: unknown; response: Response }>;

/**
 * `openapi-fetch` also reads options from `Object.prototype`. An own `undefined` keeps it from that, and means its
 * default.
 */
const NOTHING_INHERITED = {
  baseUrl: undefined,
  bodySerializer: undefined,
  fetch: undefined,
  headers: undefined,
  middleware: undefined,
  params: { header: undefined, path: undefined, query: Object.create(null) },
  pathSerializer: undefined,
  querySerializer: undefined,
  Request: undefined,
  requestInitExt: undefined,
} as unknown as object;
