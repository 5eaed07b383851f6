import type { Ending } from "../deadline.ts";

/**
 * Any `fetch`: the global one, that of undici or node-fetch, an instrumented one, or a stand-in for tests. The types name
 * only what this package uses.
 *
 * @see https://fetch.spec.whatwg.org/#fetch-method
 */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>;

/** The options that a `fetch` is called with. */
export interface FetchInit {
  /** Always `POST`. */
  method: "POST";
  /** The names are in lower case. The API key is among the values, so keep them out of logs. */
  headers: Record<string, string>;
  /** The body, which is JSON. */
  body: string;
  /** A redirect is not followed, because it could send the API key to another host. */
  redirect: "manual";
  /** Aborts at the end of `timeoutMs`, and when the caller aborts. */
  signal: AbortSignal;
  /** Set where the runtime knows the option, so that no cache keeps the token. */
  cache?: "no-store";
}

/** The part of a `fetch`'s answer that is used. A `Response` has it. */
export interface FetchAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** The headers, of which the request ID, `Retry-After` and `Date` are read. */
  readonly headers: {
    /** Returns the value of a header. It is called with a name in lower case. */
    get(name: string): string | null | undefined;
  };
  /** A web stream, which is read up to 1 MiB. Where it is anything else, `text()` is called instead. */
  readonly body?: unknown;
  /** Returns the whole body. It is called where `body` is not a web stream. */
  text(): Promise<string>;
}

/** A POST request, as every transport is called with it. */
export interface PlainRequest {
  /** Follows the base URL. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** An answer whose body has been read. */
export interface Answer {
  status: number;
  headers: { get(name: string): string | null };
  /** `undefined` where the body broke off, could not be read, or is over 1 MiB. */
  body: string | undefined;
  /** Why there is no body: a `BodyTooLargeError`, or the error of reading it. */
  problem?: unknown;
}

/**
 * Called once a request has left, or may have: with the time of `performance.now()` at which it was handed to Node.js or to
 * `fetch`, and how many milliseconds later it went out, because its connection had to be opened or the event loop was busy.
 */
export type OnSent = (sentAt: number, lateMs: number) => void;

/** Sends requests to one base URL and returns the answers. */
export interface Transport {
  /**
   * Sends one request and reads the whole answer, up to 1 MiB. It follows no redirect, stops when the attempt ends, and
   * rejects only where no answer came.
   */
  send(request: PlainRequest, ending: Ending): Promise<Answer>;
  /** Opens the connection of the next call in advance. Does nothing where that takes a request. */
  preconnect(): void;
  /** Returns a likely reason why no answer came, to follow an error's message; an empty text where there is none. */
  hint?(): string;
}

/** What a generated operation calls its client with: the whole request except the host and the key. */
export interface OperationRequest {
  url: string;
  headers: Record<string, string>;
  body: unknown;
  security: readonly [{ name: string }];
}

/** The client that the generated operation runs over. It can only post, and returns the answer without judging it. */
export interface PostClient {
  /** The path of the last request. */
  path: string;
  post(request: OperationRequest): Promise<Answer>;
}

/** Makes the client of one attempt, which adds the key to the operation's request. */
export function postClient(transport: Transport, key: string, ending: Ending): PostClient {
  return {
    path: "",
    post(request) {
      const headers: Record<string, string> = {};
      // In lower case, however the spec writes them, so that a stand-in for `fetch` can rely on it.
      for (const [name, value] of Object.entries(request.headers)) headers[name.toLowerCase()] = value;
      headers[request.security[0].name.toLowerCase()] = key;
      this.path = request.url;
      return transport.send({ path: request.url, headers, body: JSON.stringify(request.body) }, ending);
    },
  };
}

/** The largest body that is read, in bytes, counted after decompression. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** A `fetch` returned something that is not a Response. */
export class NoResponseError extends Error {}

/** The body is larger than `MAX_BODY_BYTES`. */
export class BodyTooLargeError extends Error {}

/** The connection broke before any answer came. Usually it was a kept one that the server had just closed. */
export class BrokenConnectionError extends Error {
  constructor(cause: unknown) {
    super(undefined, { cause });
  }
}

/** Whether an answer is a redirect. A browser reports a redirect that it does not follow as status 0. */
export function isRedirect(status: number): boolean {
  return (
    status === 0 || status === 301 || status === 302 || status === 303 || status === 307 || status === 308
  );
}
