import createClient from "openapi-fetch";
import type { components, paths } from "../generated/openapi-typescript/schema.d.ts";
import type { Attempt } from "./attempt.ts";
import { apiError, type ComplyCubeApiError, ConnectionError, InvalidResponseError } from "./errors.ts";
import {
  type Answer,
  EXCHANGE,
  type Exchange,
  isRedirect,
  NoResponseError,
  type PlainRequest,
} from "./exchange.ts";
import type { Fetch } from "./options.ts";
import { throughFetch } from "./plain-fetch.ts";
import { redactCause, redactJson, redactText } from "./redact.ts";
import { readRetryAfterMs } from "./retry.ts";

/** The body of `POST /v1/tokens`. */
export type TokenRequest = components["schemas"]["TokenRequest"];

/** A token, and what `onAttempt` can be told of the answer that carried it. */
export interface Minted {
  token: string;
  status: number;
  /** Looked for only when it is asked for, which without a hook it is not. */
  requestId(): string | undefined;
}

/** Sends one request and reads its whole answer. Rejects with one of this package's errors. */
export type Transport = (request: TokenRequest, key: string, attempt: Attempt) => Promise<Minted>;

const REQUEST_ID_HEADERS = ["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray"];

/** Makes the transport of one client, on `openapi-fetch`, so that path, body and answer are typed by the spec. */
export function createTransport(baseUrl: string, fetch: Fetch & { [EXCHANGE]?: Exchange }): Transport {
  const client = createClient<paths>({
    baseUrl,
    Request: RequestForOpenapiFetch as unknown as typeof Request,
    querySerializer: () => "", // Else one is made for each call.
  });
  const exchange = fetch[EXCHANGE] ?? throughFetch(fetch);

  return async (body, key, attempt) => {
    const headers = { authorization: key, "content-type": "application/json", accept: "application/json" };
    let answer: Answer | undefined;
    let data: unknown;
    let error: unknown;
    const send = async (request: unknown): Promise<unknown> => {
      answer = await exchange(request as PlainRequest, headers, attempt);
      return new ResponseForOpenapiFetch(answer);
    };
    try {
      ({ data, error } = await client.POST("/v1/tokens", {
        body,
        fetch: send as typeof globalThis.fetch,
        parseAs: "stream", // Hands over our `body`, which is parsed already, without two more promises.
      }));
    } catch (thrown) {
      // With an answer, what threw is JSON.parse: a 2xx body that is not JSON, which `data` says well enough.
      if (answer === undefined) throw unanswered(baseUrl, thrown, key);
    }
    return readAnswer(answer as Answer, data, error, key);
  };
}

/** The little that `openapi-fetch` needs of a `Request`: the global one would only be taken apart and built again. */
class RequestForOpenapiFetch implements PlainRequest {
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
class ResponseForOpenapiFetch {
  readonly status: number;
  readonly headers: Answer["headers"];
  readonly #body: string;

  constructor({ status, headers, body = "" }: Answer) {
    this.status = status;
    this.headers = headers;
    this.#body = body;
  }

  get ok(): boolean {
    return isSuccess(this.status);
  }

  /** @throws SyntaxError when the body is not JSON */
  get body(): unknown {
    return JSON.parse(this.#body);
  }

  async text(): Promise<string> {
    return this.#body;
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Status decides what an answer is; only then its body. */
function readAnswer(
  { status, headers, body, problem }: Answer,
  data: unknown,
  error: unknown,
  key: string,
): Minted {
  if (isRedirect(status)) {
    throw new ConnectionError(
      `The answer was a redirect (${status}), and none is followed: it could take the API key elsewhere. Check baseUrl.`,
    );
  }
  if (!isSuccess(status)) throw failedAnswer(status, headers, error, key);
  const token = readToken(data);
  if (token === undefined) {
    const tooLarge = problem instanceof Error && problem.name === "BodyTooLargeError";
    const what = tooLarge
      ? "with more than 1 MiB of body"
      : body === undefined
        ? "with a body that broke off or cannot be read"
        : "without a token in its body";
    const cause = tooLarge || problem === undefined ? undefined : redactCause(problem, key);
    throw new InvalidResponseError(
      `The API answered ${status} ${what}.`,
      status,
      readRequestId(headers, key),
      cause === undefined ? undefined : { cause },
    );
  }
  return { token, status, requestId: () => readRequestId(headers, key) };
}

function unanswered(baseUrl: string, thrown: unknown, key: string): ConnectionError {
  if (thrown instanceof NoResponseError) return new ConnectionError(thrown.message);
  const cause = redactCause(thrown, key);
  return new ConnectionError(`No answer from ${new URL(baseUrl).origin}${reasonOf(cause)}.`, { cause });
}

/** A token goes into a header and a page: visible ASCII, which also keeps out what a wrong charset leaves behind. */
function readToken(data: unknown): string | undefined {
  if (typeof data !== "object" || data === null || !Object.hasOwn(data, "token")) return undefined;
  const { token } = data as { token: unknown };
  return typeof token === "string" && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
}

function failedAnswer(
  status: number,
  headers: Answer["headers"],
  error: unknown,
  key: string,
): ComplyCubeApiError {
  const body = error === "" ? undefined : redactJson(error, key);
  const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string) =>
    typeof fields[name] === "string" && fields[name] !== "" ? fields[name] : undefined;
  return apiError({
    status,
    message:
      text("message") ??
      `The API answered ${status} without saying why.${status === 404 ? " Check baseUrl." : ""}`,
    type: text("type"),
    param: text("param"),
    requestId: readRequestId(headers, key),
    retryAfterMs: readRetryAfterMs(headers),
    body,
  });
}

function readRequestId(headers: Answer["headers"], key: string): string | undefined {
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
