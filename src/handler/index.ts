/**
 * The endpoint that a frontend calls for its token, on the web's own `Request` and `Response`.
 *
 * @module complycube-tokens/handler
 */

import { callHook } from "../core/call-hook.ts";
import { checkFields, checkFunction, checkInteger, kindOf, misuse } from "../core/checks.ts";
import type { TokenTarget } from "../core/client/target.ts";
import type { Tokens } from "../core/client/tokens.ts";
import { withDeadline } from "../core/deadline.ts";
import { explainReferrer, type ReferrerCheck } from "../referrer/index.ts";
import { checkOrigins, explainRefusal, isCrossOrigin, preflight, quote } from "./cross-origin.ts";

/**
 * Answers one request of a page or an app. It never rejects.
 *
 * `context` is what the framework has beside the request: Express's `req`, Hono's context, a Worker's `env`.
 * `authenticate` and `target` are called with it.
 */
export type TokenHandler<Context = unknown> = (
  request: Request,
  ...context: undefined extends Context ? [context?: Context] : [context: Context]
) => Promise<Response>;

/** Who is asking, as your own session knows it. */
export interface TokenSession {
  /** The ID of the ComplyCube client that you keep with this user. */
  clientId: string;
}

/** Options of an endpoint. `Context` is the type of the handler's second argument. */
export interface TokenHandlerOptions<Context = unknown> {
  /** The `ComplyCube` that mints. Share one in the whole process. */
  complycube: {
    /** Only these methods are used, so a stand-in for tests needs no more. */
    readonly token: Pick<Tokens, "generate"> & Partial<Pick<Tokens, "checkTarget">>;
    /** Called before `authenticate`, so that the connection is made while your session is looked up. */
    preconnect?(): void;
  };
  /**
   * What the tokens are bound to: one page or app, or a function that returns one, so that one endpoint can serve both.
   *
   * Let a function choose from a fixed list. It must not return a pattern or an app ID that the request contains.
   * The request's body cannot be read.
   *
   * @example target: (request) => request.headers.has("x-mobile") ? { appId: "com.example.app" } : { referrer: "https://www.example.com/*" }
   */
  target:
    | TokenTarget
    | ((request: Request, clientId: string, context: Context) => TokenTarget | Promise<TokenTarget>);
  /**
   * Returns who is asking, by your own session; `undefined` when nobody is signed in. Only this function decides the
   * client ID. It cannot read the request's body: anyone who can choose the client ID can start a verification as
   * someone else.
   *
   * @example authenticate: (_request, req: express.Request) => req.user
   */
  authenticate: (
    request: Request,
    context: Context,
  ) => TokenSession | undefined | Promise<TokenSession | undefined>;
  /**
   * Other origins whose pages may ask for a token, with cookies: exact ones, such as `https://app.example.com` or a hybrid app's
   * `capacitor://localhost`, with no path and no wildcard. Your own origin needs no entry, unless a proxy rewrites
   * `Host` and the browser does not say `Sec-Fetch-Site` (older than 2023, or a page on plain `http`).
   *
   * @default []
   */
  allowedOrigins?: readonly string[] | undefined;
  /**
   * Time allowed for the whole answer, in milliseconds: `authenticate`, `target`, the wait for a place under the rate
   * limit, every attempt and the backoff between them. After it, the answer is 504. Keep it below the limit of your
   * platform, which otherwise ends the request without an answer (Bun after 10 s, AWS Lambda after 3 s by default).
   *
   * @default 9_000
   */
  timeoutMs?: number | undefined;
  /**
   * Called with every failure on your side or the API's, once for each page on which a token cannot work, and once for
   * each other origin that was refused. What it throws or rejects with is ignored. The request is an argument of its own,
   * because printing a `Request` prints its cookies.
   *
   * @default the error, or the warning, goes to `console`
   */
  onError?: ((error: unknown, report: TokenHandlerReport, request: Request) => void) | undefined;
}

/** What is known about an error that `onError` is called with. It holds no key and no token. */
export interface TokenHandlerReport {
  /** `warning` when nothing failed: a {@link ReferrerMismatchWarning} or a {@link CrossOriginWarning}. */
  severity: "error" | "warning";
  /** The status of the answer; `undefined` for a warning that did not stop the request. */
  status: number | undefined;
  /** The client that `authenticate` returned, if it did. */
  clientId: string | undefined;
}

/** The `error` field of an answer that is not 200. Such a body is `{"error":"…"}`, with no other field. */
export type TokenHandlerFailure =
  /** 401: nobody is signed in. */
  | "unauthenticated"
  /** 403: a page of another origin asked. */
  | "cross_origin"
  /** 405: neither a `POST` nor the preflight of an allowed origin. */
  | "method_not_allowed"
  /** 429: the API's rate limit or the local one is exceeded; `Retry-After` has the seconds to wait. */
  | "rate_limited"
  /** 499: the caller closed the connection, so nobody reads this. */
  | "aborted"
  /** 500: `authenticate`, `target` or the set-up failed. */
  | "internal_error"
  /** 502: the API refused the request, or returned no usable answer. */
  | "upstream_failed"
  /** 504: there was no token within `timeoutMs`. */
  | "timeout";

/** A page asked for a token that cannot work on it. Only `onError` is called with this warning, never the page. */
export class ReferrerMismatchWarning extends Error {
  /** The name of the class, as a literal that survives minifying. */
  override readonly name = "ReferrerMismatchWarning";
}

/** A page of another origin was refused. `onError` is called once for each origin; the message says how to allow it. */
export class CrossOriginWarning extends Error {
  /** The name of the class, as a literal that survives minifying. */
  override readonly name = "CrossOriginWarning";
}

/** The body of an answer with status 200. A mobile SDK needs the client's ID beside its token. */
type Minted = { token: string; clientId?: string };
type Failure = [status: number, error: TokenHandlerFailure, headers?: Record<string, string>];

/** The `Retry-After` of an answer when neither the API nor the local limit has a time. */
const RETRY_AFTER_MS = 5_000;
/** How many warnings of each kind are remembered and given, so that callers cannot fill the memory. */
const MAX_WARNINGS = 100;
/**
 * Warnings given so far, shared by all handlers, because some apps make one for each request. Refused origins have a set
 * of their own, so that strangers cannot use up the warnings about your own pages.
 */
const mismatched = new Set<string>();
const refused = new Set<string>();
const OPTIONS = ["complycube", "target", "authenticate", "allowedOrigins", "timeoutMs", "onError"];
const NO_STORE = { "cache-control": "no-store" };

/**
 * Makes the endpoint that your frontend calls for a token: `POST`, answered with `{"token":"…"}` for a web target and
 * `{"token":"…","clientId":"…"}` for an app, or with `{"error":"…"}` and nothing of what went wrong behind it.
 *
 * It answers only signed-in users, and only pages of its own origin and of `allowedOrigins`. It mints only for the client
 * that `authenticate` returns. A request that no browser sent has no origin to check. When the caller closes the
 * connection, the call to the API ends.
 *
 * @throws `TypeError` or `RangeError` that names a wrong or missing option
 * @example
 * const handler = createTokenHandler({
 *   complycube: new ComplyCube(),
 *   target: { referrer: "https://www.example.com/*" },
 *   authenticate: async (request) => (await sessionOf(request))?.user,
 * });
 */
export function createTokenHandler<Context = unknown>(
  options: TokenHandlerOptions<Context>,
): TokenHandler<Context> {
  const { complycube, target, authenticate, timeoutMs, allowedOrigins, onError } = checkOptions(options);

  const report = (error: unknown, about: TokenHandlerReport, request: Request) =>
    callHook(onError, error, about, request);

  function refuse(failure: Failure, request: Request): Failure {
    const origin = request.headers.get("origin");
    if (isFirst(refused, String(origin))) {
      const [status] = failure;
      const warning = new CrossOriginWarning(explainRefusal(origin));
      report(warning, { severity: "warning", status, clientId: undefined }, request);
    }
    return failure;
  }

  function warnOfMismatch(bound: TokenTarget, clientId: string, request: Request) {
    const warning = mismatch(bound?.referrer, request);
    if (warning === undefined || !isFirst(mismatched, warning)) return;
    const severity = "warning";
    report(new ReferrerMismatchWarning(warning), { severity, status: undefined, clientId }, request);
  }

  async function answer(request: Request, context: Context, isAllowed: boolean): Promise<Minted | Failure> {
    if (request.method !== "POST") {
      const allow = allowedOrigins.size > 0 ? "POST, OPTIONS" : "POST";
      const failure: Failure = [405, "method_not_allowed", { allow }];
      // Only a browser's preflight has this header.
      return request.headers.has("access-control-request-method") ? refuse(failure, request) : failure;
    }
    if (!isAllowed && isCrossOrigin(request)) return refuse([403, "cross_origin"], request);

    let clientId: string | undefined;
    let waitsFor = "authenticate";
    let failureOf = (error: unknown): Failure =>
      error instanceof HandlerTimeoutError ? [504, "timeout"] : [500, "internal_error"];

    const mint = async (signal: AbortSignal): Promise<Minted | Failure> => {
      closeBody(request);
      complycube.preconnect?.();
      const session = await authenticate(request, context);
      if (!session) return [401, "unauthenticated"];
      clientId = session.clientId;
      if (typeof clientId !== "string") {
        throw new TypeError(
          "authenticate must return { clientId: string }, or undefined when nobody is signed in.",
        );
      }
      waitsFor = "target";
      const bound = typeof target === "function" ? await target(request, clientId, context) : target;
      warnOfMismatch(bound, clientId, request);
      waitsFor = "the API, or for a place under the rate limit";
      failureOf = upstreamFailure;
      const token = await complycube.token.generate(clientId, bound, { signal });
      return Object.hasOwn(bound, "appId") ? { token, clientId } : { token };
    };

    const timeoutError = () => new HandlerTimeoutError(timeoutMs, waitsFor);
    try {
      return await withDeadline(timeoutMs, timeoutError, request.signal, (ending) => mint(ending.toSignal()));
    } catch (error) {
      if (request.signal?.aborted) return [499, "aborted"];
      const failure = failureOf(error);
      report(error, { severity: "error", status: failure[0], clientId }, request);
      return failure;
    }
  }

  return async (request, ...[context]) => {
    const origin = String(request.headers.get("origin")); // "null" is never allowed.
    const isAllowed = allowedOrigins.has(origin);
    const headers: Record<string, string> = { ...NO_STORE };
    if (allowedOrigins.size > 0) headers.vary = "Origin";
    if (isAllowed) {
      headers["access-control-allow-origin"] = origin;
      headers["access-control-allow-credentials"] = "true";
      if (request.method === "OPTIONS") return preflight(request, headers);
      headers["access-control-expose-headers"] = "Retry-After";
    }
    const result = await answer(request, context as Context, isAllowed);
    if (!Array.isArray(result)) return Response.json(result, { headers });
    const [status, error, more] = result;
    return Response.json({ error }, { status, headers: { ...headers, ...more } });
  };
}

const BODY_READERS = ["arrayBuffer", "blob", "bytes", "clone", "formData", "json", "text"];

/**
 * Makes the body unreadable, so that no client ID can come from it. The rest of the request stays, with the fields that a
 * framework has added. The body is cancelled; the methods are replaced only to say why it cannot be read.
 */
function closeBody(request: Request): void {
  // Rejects while a middleware reads the body, which may go on.
  request.body?.cancel().catch(() => {});
  const refuse = () => {
    throw new TypeError(
      "authenticate and target cannot read the request's body: its sender could name anyone's client. Take the " +
        "client ID from your own session: by a cookie or header of the request, or from what the framework knows, " +
        "passed as handler(request, context).",
    );
  };
  // Configurable, because Next.js passes a Proxy, which cannot return other values for fixed fields.
  for (const name of BODY_READERS) {
    Object.defineProperty(request, name, { value: refuse, configurable: true });
  }
  Object.defineProperty(request, "body", { value: null }); // For `new Request(url, request)`.
}

/** The endpoint's own deadline has passed. It has the `name` and `code` of the client's `TimeoutError`. */
class HandlerTimeoutError extends Error {
  override readonly name = "TimeoutError";
  readonly code = "timeout";

  constructor(timeoutMs: number, waitsFor: string) {
    super(
      `No token within ${timeoutMs} ms (timeoutMs of the handler): it was still waiting for ${waitsFor}.`,
    );
  }
}

/** Returns whether this warning is new, and fewer than `MAX_WARNINGS` were given. */
function isFirst(given: Set<string>, warning: string): boolean {
  if (given.size >= MAX_WARNINGS || given.has(warning)) return false;
  given.add(warning);
  return true;
}

/** Says why the token cannot work on the page that asks for it, as far as the request's headers show. */
function mismatch(pattern: string | undefined, { headers }: Request): string | undefined {
  const pageUrl = headers.get("origin");
  try {
    const { matches, reason, advice } = explainReferrer({ pattern, pageUrl } as ReferrerCheck);
    // `generate` refuses a pattern with a path, unless the client allows it for pages that send one.
    if (!matches && reason !== "path-not-sent")
      return `A token for ${JSON.stringify(pattern)} cannot work at ${quote(pageUrl)}. ${advice}`;
  } catch {
    return undefined; // No page, or none with a URL; or a wrong pattern, for which `generate` throws.
  }
  // A page sends its Referer to its own endpoint, unless its policy is no-referrer.
  if (headers.has("referer")) return undefined;
  return (
    `This request from ${quote(pageUrl)} came without a Referer: the page is under Referrer-Policy: no-referrer, or ` +
    "something on its way took the Referer off, or it is not a browser. A page that sends ComplyCube no Referer " +
    "cannot use its token: let it have Referrer-Policy: strict-origin-when-cross-origin."
  );
}

/** Reads `code` and not the class, so that an error of another copy of this package is recognised too. */
function upstreamFailure(error: unknown): Failure {
  const { code, status, retryAfterMs } = (error ?? {}) as Record<string, unknown>;
  if (code === "rate_limit_queue_full" || (code === "api" && status === 429)) {
    const ms = Number.isFinite(retryAfterMs) ? Number(retryAfterMs) : RETRY_AFTER_MS;
    return [429, "rate_limited", { "retry-after": String(Math.max(1, Math.ceil(ms / 1_000))) }];
  }
  if (code === "timeout") return [504, "timeout"];
  if (code === "api" || code === "connection" || code === "invalid_response") return [502, "upstream_failed"];
  return [500, "internal_error"];
}

function printError(error: unknown, { severity }: TokenHandlerReport): void {
  if (severity === "warning") console.warn(`complycube-tokens/handler: ${(error as Error).message}`);
  else console.error("complycube-tokens/handler:", error);
}

function checkOptions<Context>(options: TokenHandlerOptions<Context>) {
  const own = checkFields("options", options, OPTIONS);
  const { complycube, target, authenticate, allowedOrigins, timeoutMs, onError } = own;
  if (typeof complycube?.token?.generate !== "function") throw misuse("complycube", "must be a ComplyCube");
  if (typeof authenticate !== "function") {
    throw misuse(
      "authenticate",
      `must be a function that returns who is asking, not ${kindOf(authenticate)}`,
    );
  }
  // A fixed target that the client would refuse fails when the server starts, not when the first user comes.
  if (typeof target !== "function") complycube.token.checkTarget?.(target);
  return {
    complycube,
    target,
    authenticate,
    allowedOrigins: new Set(checkOrigins(allowedOrigins)),
    timeoutMs: checkInteger("timeoutMs", timeoutMs, 1) ?? 9_000,
    onError: checkFunction("onError", onError) ?? printError,
  };
}
