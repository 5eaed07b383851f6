import { generateToken } from "../../../generated/hey-api/sdk.gen.ts";
import type { Token, TokenRequest } from "../../../generated/hey-api/types.gen.ts";
import type { Ending } from "../deadline.ts";
import { apiError, type ComplyCubeApiError, ConnectionError, InvalidResponseError } from "../errors.ts";
import { redactCause, redactJson, redactShort } from "../redact.ts";
import {
  type Answer,
  BodyTooLargeError,
  BrokenConnectionError,
  isRedirect,
  NoResponseError,
  type PostClient,
  postClient,
  type Transport,
} from "./exchange.ts";
import { FinalConnectionError, readRetryAfterMs, StaleConnectionError } from "./retry.ts";

export { BASE_URL } from "../../../generated/openapi/constants.gen.ts";

/** A token, and the parts of its answer that `onAttempt` is called with. */
export interface Minted {
  token: string;
  status: number;
  /** It is read and redacted at each access, because most calls do not need it. */
  readonly requestId: string | undefined;
}

/**
 * Prepares one request. The returned function sends it and reads the answer, or rejects with an error of this
 * package.
 */
export type Operation = (request: TokenRequest, key: string) => (ending: Ending) => Promise<Minted>;

const REQUEST_ID_HEADERS = ["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray"];
const MAX_REQUEST_ID = 200;
const MAX_REASON = 300;

/**
 * The generated operation, typed for a client that has only `post`. The path, the names of the headers and the content
 * type come from the spec, through this operation.
 */
const operation = generateToken as unknown as (options: {
  client: PostClient;
  body: TokenRequest;
  headers: Record<string, never>;
}) => Promise<Answer>;

/** Makes the operation of one client. */
export function createOperation(baseUrl: string, transport: Transport): Operation {
  return (body, key) => async (ending) => {
    const client = postClient(transport, key, ending);
    let answer: Answer;
    try {
      answer = await operation({ client, body, headers: {} }); // Own, or a polluted Object.prototype would add some.
    } catch (thrown) {
      throw unanswered(baseUrl, thrown, key, transport.hint?.());
    }
    return readAnswer(answer, key, baseUrl + client.path);
  };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Returns the token, or throws. The status decides first, and only then the body. */
function readAnswer({ status, headers, body, problem }: Answer, key: string, url: string): Minted {
  if (isRedirect(status)) {
    throw new FinalConnectionError(
      `The API answered with a redirect (${status}). None is followed: it could take the key to another host. Check baseUrl.`,
    );
  }
  const content = parseBody(body);
  if (!isSuccess(status)) throw failedAnswer(status, headers, content, key, url);
  const token = readToken(content);
  if (token === undefined) {
    const tooLarge = problem instanceof BodyTooLargeError;
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
  return {
    token,
    status,
    get requestId() {
      return readRequestId(headers, key);
    },
  };
}

function unanswered(baseUrl: string, thrown: unknown, key: string, hint = ""): ConnectionError {
  if (thrown instanceof NoResponseError) return new ConnectionError(thrown.message);
  const isStale = thrown instanceof BrokenConnectionError;
  const cause = redactCause(isStale ? thrown.cause : thrown, key);
  const { reason, isRefused } = reasonOf(cause);
  const kind = isRefused ? FinalConnectionError : isStale ? StaleConnectionError : ConnectionError;
  return new kind(`No answer from ${new URL(baseUrl).origin}${reason}.${hint}`, { cause });
}

/** Returns the parsed body where it is JSON, else its text; `undefined` where there is no body. */
function parseBody(body: string | undefined): unknown {
  if (body === undefined || body === "") return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/**
 * Returns the token. It must be visible ASCII, because it goes into headers and pages; a wrong charset shows here
 * too.
 */
function readToken(content: unknown): string | undefined {
  if (typeof content !== "object" || content === null || !Object.hasOwn(content, "token")) return undefined;
  const { token } = content as Token;
  return typeof token === "string" && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
}

function failedAnswer(
  status: number,
  headers: Answer["headers"],
  content: unknown,
  key: string,
  url: string,
): ComplyCubeApiError {
  const body = redactJson(content, key);
  const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string) =>
    typeof fields[name] === "string" && fields[name] !== "" ? redactShort(fields[name], key) : undefined;
  const message = text("message");
  const param = text("param");
  const hint = hintFor(status, message, param, key, url);
  return apiError({
    status,
    message: [message ?? `The API answered ${status} without saying why.`, ...hint].join(" "),
    type: text("type"),
    param,
    requestId: readRequestId(headers, key),
    retryAfterMs: readRetryAfterMs(headers),
    body,
  });
}

/**
 * Returns the usual reason for such an answer, which the API does not name. It shows the kind of the key and no more
 * of it.
 */
function hintFor(
  status: number,
  message: string | undefined,
  param: string | undefined,
  key: string,
  url: string,
): string[] {
  const kind = /^(live|test)_/.exec(key)?.[0];
  const ownKey = kind === undefined ? "neither a live_ nor a test_ key" : `a ${kind} key`;
  if ((status === 401 || status === 403) && message === undefined) return [`Check the key: it is ${ownKey}.`];
  if (status !== 400 && status !== 404) return [];
  if (param === "clientId" || /\bclient/i.test(message ?? "")) {
    return kind === undefined
      ? []
      : [`(A client made with a live key is unknown to a test key, and the reverse; this is ${ownKey}.)`];
  }
  return status === 404 ? [`(The request was POST ${url}: check baseUrl.)`] : [];
}

function readRequestId(headers: Answer["headers"], key: string): string | undefined {
  for (const name of REQUEST_ID_HEADERS) {
    const value = headers.get(name);
    if (value) return redactShort(value, key, MAX_REQUEST_ID);
  }
  return undefined;
}

/** The names of Deno's errors for a missing permission. Another attempt would fail in the same way. */
const REFUSALS = ["NotCapable", "PermissionDenied"];

/**
 * Returns why there is no answer: the code of the deepest cause that has one, such as ECONNREFUSED, because `fetch` itself
 * only says "fetch failed". Deno's errors have no codes, so there it is the deepest cause's message, on one line.
 */
function reasonOf(cause: unknown): { reason: string; isRefused: boolean } {
  let code: unknown;
  let said = typeof cause === "string" ? cause : "";
  let isRefused = false;
  for (let error = cause; error instanceof Error; error = error.cause) {
    code = (error as { code?: unknown }).code ?? code;
    isRefused ||= REFUSALS.includes(error.name);
    said = isRefused ? `${error.name}: ${error.message}` : error.message;
  }
  const line = said.replace(/\s+/g, " ").trim().slice(0, MAX_REASON).replace(/\.+$/, "");
  const reason = typeof code === "string" && !isRefused ? code : line;
  return { reason: reason === "" ? "" : `: ${reason}`, isRefused };
}
