/**
 * What this package needs of a `fetch`: the global one, an instrumented one, or a stand-in for tests.
 *
 * @see https://fetch.spec.whatwg.org/#fetch-method
 */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A request, as little of it as every transport needs. */
export interface PlainRequest {
  readonly url: string;
  readonly method: "POST";
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** An answer, its body read already. */
export interface Answer {
  status: number;
  headers: { get(name: string): string | null };
  /** `undefined` when it broke off, could not be read, or is over 1 MiB. */
  body: string | undefined;
  /** Why there is no body: a `BodyTooLargeError`, or what reading it threw. */
  problem?: unknown;
}

/**
 * Sends one request and reads its whole answer, at most 1 MiB of it. Follows no redirect, gives up when the signal
 * aborts, and rejects only when no answer came.
 */
export type Exchange = (request: PlainRequest, signal: AbortSignal) => Promise<Answer>;

/** What a generated operation asks of the client that it runs over: all of the request but the host and the key. */
export interface OperationRequest {
  url: string;
  headers: Record<string, string>;
  body: unknown;
  security: readonly [{ name: string }];
}

/** The client under the generated operation. It can only post, and what comes back is left for the layer to judge. */
export interface PostClient {
  post(request: OperationRequest): Promise<Answer>;
}

/** Makes the client of one attempt, which adds the host and the key to what the operation says. */
export function postClient(
  exchange: Exchange,
  baseUrl: string,
  key: string,
  signal: AbortSignal,
): PostClient {
  return {
    post(request) {
      const headers: Record<string, string> = {};
      // In lower case, as every stand-in for `fetch` may count on, however the spec writes them.
      for (const name in request.headers) headers[name.toLowerCase()] = request.headers[name] as string;
      headers[request.security[0].name.toLowerCase()] = key;
      const url = baseUrl + request.url;
      return exchange({ url, method: "POST", headers, body: JSON.stringify(request.body) }, signal);
    },
  };
}

/**
 * Where a `fetch` of this package carries an `Exchange` that spares what a plain one costs. A registered symbol, so that
 * an ES module and a CommonJS copy of this package know each other's.
 */
export const EXCHANGE = Symbol.for("complycube-tokens.exchange");

/** The largest body that is read, in bytes, counted after decompression. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** What a `fetch` gave is not a Response. */
export class NoResponseError extends Error {
  override readonly name = "NoResponseError";
}

/** The body is larger than `MAX_BODY_BYTES`. Told by its name, as it may come from another copy of this package. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
}

/** Whether an answer is a redirect. A browser hides one that it does not follow behind status 0. */
export function isRedirect(status: number): boolean {
  return (
    status === 0 || status === 301 || status === 302 || status === 303 || status === 307 || status === 308
  );
}
