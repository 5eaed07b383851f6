/**
 * What this package needs of a `fetch`: the global one, that of undici or node-fetch, an instrumented one, or a stand-in
 * for tests.
 *
 * @see https://fetch.spec.whatwg.org/#fetch-method
 */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>;

/** What a `fetch` is called with. */
export interface FetchInit {
  /** Always `POST`. */
  method: "POST";
  /** Names in lower case. The key is among them: keep them out of logs. */
  headers: Record<string, string>;
  /** JSON. */
  body: string;
  /** A redirect is not followed: it could take the key elsewhere. */
  redirect: "manual";
  /** Aborted at the end of `timeoutMs`, and when the caller aborts. */
  signal: AbortSignal;
  /** Set where the runtime knows it: a token is kept by no cache. */
  cache?: "no-store";
}

/** What is used of the answer of a `fetch`. A `Response` has it. */
export interface FetchAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** Where the request id, `Retry-After` and `Location` are read. */
  readonly headers: {
    /** The value of a header, whose name comes in lower case. */
    get(name: string): string | null | undefined;
  };
  /** Where it is a web stream, it is read piece by piece, and no further than 1 MiB. */
  readonly body?: unknown;
  /** Called where `body` is no web stream. */
  text(): Promise<string>;
}

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

/** What takes a request to the API and its answer back. */
export interface Transport {
  /**
   * Sends one request and reads its whole answer, at most 1 MiB of it. Follows no redirect, gives up when the signal
   * aborts, and rejects only when no answer came.
   */
  send(request: PlainRequest, signal: AbortSignal): Promise<Answer>;
  /** Opens the connection of the next call, where that can be done without a request. */
  preconnect?(baseUrl: string): void;
  /** Says what may stand between this transport and the API, where no answer came. */
  hint?(baseUrl: string): string;
}

/** What a generated operation asks of the client that it runs over: all of the request but the host and the key. */
export interface OperationRequest {
  url: string;
  headers: Record<string, string>;
  body: unknown;
  security: readonly [{ name: string }];
}

/** The client under the generated operation. It can only post, and what comes back is left for the layer to judge. */
export interface PostClient {
  /** Where it has posted to. */
  url: string;
  post(request: OperationRequest): Promise<Answer>;
}

/** Makes the client of one attempt, which adds the host and the key to what the operation says. */
export function postClient(
  transport: Transport,
  baseUrl: string,
  key: string,
  signal: AbortSignal,
): PostClient {
  return {
    url: baseUrl,
    post(request) {
      const headers: Record<string, string> = {};
      // In lower case, as every stand-in for `fetch` may count on, however the spec writes them.
      for (const [name, value] of Object.entries(request.headers)) headers[name.toLowerCase()] = value;
      headers[request.security[0].name.toLowerCase()] = key;
      this.url = baseUrl + request.url;
      return transport.send(
        { url: this.url, method: "POST", headers, body: JSON.stringify(request.body) },
        signal,
      );
    },
  };
}

/** The largest body that is read, in bytes, counted after decompression. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** What a `fetch` gave is not a Response. */
export class NoResponseError extends Error {
  override readonly name = "NoResponseError";
}

/** The body is larger than `MAX_BODY_BYTES`. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
}

/** The connection broke before any answer came. It was nearly always a kept one that the server had just closed. */
export class BrokenConnectionError extends Error {
  override readonly name = "BrokenConnectionError";

  constructor(cause: unknown) {
    super("The connection broke before any answer came.", { cause });
  }
}

/** Whether an answer is a redirect. A browser hides one that it does not follow behind status 0. */
export function isRedirect(status: number): boolean {
  return (
    status === 0 || status === 301 || status === 302 || status === 303 || status === 307 || status === 308
  );
}
