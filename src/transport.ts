import createClient from "openapi-fetch";
import type { components, paths } from "../generated/openapi-typescript/schema.d.ts";
import { apiError, ConnectionError, InvalidResponseError } from "./errors.ts";
import type { Fetch } from "./options.ts";
import { redactCause, redactJson, redactText } from "./redact.ts";
import { readRetryAfterMs } from "./retry.ts";

/** The body of `POST /v1/tokens`. */
export type TokenRequest = components["schemas"]["TokenRequest"];

/** A token, and what `onAttempt` is told of the answer that carried it. */
export interface Minted {
  token: string;
  status: number;
  requestId: string | undefined;
}

/** Sends one request and reads its whole answer; `signal` ends both. Rejects with one of this package's errors. */
export type Transport = (request: TokenRequest, key: string, signal: AbortSignal) => Promise<Minted>;

const MAX_BODY_BYTES = 1024 * 1024;
const REQUEST_ID_HEADERS = ["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray"];

/** Makes the transport of one client, on `openapi-fetch`, so that path, body and answer are typed by the spec. */
export function createTransport(baseUrl: string, send: Fetch): Transport {
  const client = createClient<paths>({ baseUrl, Request: PlainRequest as unknown as typeof Request });

  return async (body, key, signal) => {
    let answer: PlainResponse | undefined;
    const exchange = async (request: unknown): Promise<PlainResponse> => {
      answer = await post(request as PlainRequest, send, key, signal);
      return answer;
    };
    let data: unknown;
    let error: unknown;
    try {
      ({ data, error } = await client.POST("/v1/tokens", {
        body,
        fetch: exchange as unknown as typeof globalThis.fetch,
      }));
    } catch (failure) {
      if (answer === undefined) throw failure; // Else the 2xx body was not JSON, and `data` says so.
    }
    const { status, headers, ok } = answer as PlainResponse;
    const requestId = readRequestId(headers, key);
    if (!ok) throw failedAnswer(status, headers, requestId, error, key);
    const token = readToken(data);
    if (token === undefined) {
      throw new InvalidResponseError(
        `The API answered ${status} without a token in its body.`,
        status,
        requestId,
      );
    }
    return { token, status, requestId };
  };
}

/** The little that `openapi-fetch` needs of a `Request`: the global one would only be taken apart and built again. */
class PlainRequest {
  readonly url: string;
  readonly method: string;
  readonly body: string;

  constructor(url: string, init: { method: string; body: string }) {
    this.url = url;
    this.method = init.method;
    this.body = init.body;
  }
}

/** The little that `openapi-fetch` needs of a `Response`, its body read already. */
class PlainResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly #body: string;

  constructor(status: number, headers: Headers, body: string) {
    this.status = status;
    this.headers = headers;
    this.#body = body;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  async text(): Promise<string> {
    return this.#body;
  }

  async json(): Promise<unknown> {
    return JSON.parse(this.#body);
  }
}

async function post(
  request: PlainRequest,
  send: Fetch,
  key: string,
  signal: AbortSignal,
): Promise<PlainResponse> {
  let response: Response;
  try {
    response = await send(request.url, {
      method: request.method,
      headers: { authorization: key, "content-type": "application/json", accept: "application/json" },
      body: request.body,
      redirect: "manual",
      signal,
    });
  } catch (error) {
    const cause = redactCause(error, key);
    throw new ConnectionError(`No answer from ${new URL(request.url).origin}${reasonOf(cause)}.`, { cause });
  }
  if (typeof response?.status !== "number" || typeof response.headers?.get !== "function") {
    throw new ConnectionError("The fetch option did not give a Response.");
  }
  const { status, headers } = response;
  if (signal.aborted || isRedirect(response)) {
    discard(response);
    throw new ConnectionError(
      `The answer was a redirect (${status}), and none is followed: it could take the API key elsewhere. Check baseUrl.`,
    );
  }
  try {
    return new PlainResponse(status, headers, await readBody(response, signal));
  } catch (error) {
    if (status < 200 || status > 299) return new PlainResponse(status, headers, "");
    const why =
      error instanceof BodyTooLargeError
        ? "more than 1 MiB of body"
        : "a body that broke off or cannot be read";
    throw new InvalidResponseError(
      `The API answered ${status} with ${why}.`,
      status,
      readRequestId(headers, key),
      {
        cause: error instanceof BodyTooLargeError ? undefined : redactCause(error, key),
      },
    );
  }
}

class BodyTooLargeError extends Error {}

/** Reads at most 1 MiB, counted after decompression. */
async function readBody(response: Response, signal: AbortSignal): Promise<string> {
  const { body } = response;
  // Not every fetch has web streams: a test's stand-in may have none, and node-fetch has Node.js ones.
  if (typeof body?.getReader !== "function") {
    const text = await response.text();
    if (text.length > MAX_BODY_BYTES) throw new BodyTooLargeError();
    return text;
  }
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel);
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      bytes += value.byteLength;
      if (bytes > MAX_BODY_BYTES) throw new BodyTooLargeError();
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    cancel();
    throw error;
  } finally {
    // Node.js holds the signal until the stream is collected, so a listener that holds the stream would hold both for ever.
    signal.removeEventListener("abort", cancel);
  }
}

/** Gives the socket back without reading the rest. */
function discard({ body }: Response): void {
  if (typeof body?.cancel === "function") body.cancel().catch(() => {});
}

function isRedirect({ status, type }: Response): boolean {
  // A browser hides a redirect that it does not follow behind status 0.
  return type === "opaqueredirect" || status === 0 || [301, 302, 303, 307, 308].includes(status);
}

/** A token goes into a header and a page: visible ASCII, which also keeps out what a wrong charset leaves behind. */
function readToken(data: unknown): string | undefined {
  if (typeof data !== "object" || data === null || !Object.hasOwn(data, "token")) return undefined;
  const { token } = data as { token: unknown };
  return typeof token === "string" && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
}

function failedAnswer(
  status: number,
  headers: Headers,
  requestId: string | undefined,
  error: unknown,
  key: string,
) {
  const body = error === "" ? undefined : redactJson(error, key);
  const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string) =>
    typeof fields[name] === "string" && fields[name] !== "" ? fields[name] : undefined;
  return apiError({
    status,
    message: text("message") ?? `The API answered ${status} without saying why.`,
    type: text("type"),
    param: text("param"),
    requestId,
    retryAfterMs: readRetryAfterMs(headers),
    body,
  });
}

function readRequestId(headers: Headers, key: string): string | undefined {
  for (const name of REQUEST_ID_HEADERS) {
    const value = headers.get(name);
    if (value) return redactText(value, key);
  }
  return undefined;
}

/** The code of the deepest cause that has one, such as ECONNREFUSED: fetch itself only says "fetch failed". */
function reasonOf(cause: unknown): string {
  let code: unknown;
  for (let error = cause; error instanceof Error; error = error.cause) {
    code = (error as { code?: unknown }).code ?? code;
  }
  return typeof code === "string" ? `: ${code}` : "";
}
