/**
 * The endpoint that a frontend calls for its token, on the web's own `Request` and `Response`.
 *
 * @module complycube-tokens/handler
 */

import { checkFields, kindOf } from "../core/checks.ts";
import { checkTokenRequest, type TokenTarget } from "../core/client/target.ts";
import type { Tokens } from "../core/client/tokens.ts";
import { explainReferrer } from "../referrer/index.ts";
import { checkOrigins, isCrossOrigin, preflight } from "./cross-origin.ts";

/** Answers one request of a page or an app. It never rejects. */
export type TokenHandler = (request: Request) => Promise<Response>;

/** Who is asking, as your own session knows it. */
export interface TokenSession {
  /** The ID of the ComplyCube client that you keep with this user. */
  clientId: string;
}

/** What the endpoint needs to know. */
export interface TokenHandlerOptions {
  /** The `ComplyCube` that mints. Share one in the whole process. */
  complycube: {
    /** All of it that is used, so that a stand-in for tests needs no more. */
    readonly token: Pick<Tokens, "generate">;
  };
  /**
   * What the tokens are bound to: one page or app, or a function that tells, to serve web and mobile from one endpoint.
   *
   * A function chooses from a list that you know; it must not take a pattern or an app ID from the request as it is.
   *
   * @example target: (request) => request.headers.has("x-mobile") ? { appId: "com.example.app" } : { referrer: "https://www.example.com/*" }
   */
  target: TokenTarget | ((request: Request, clientId: string) => TokenTarget | Promise<TokenTarget>);
  /**
   * Tells who is asking, from your own session; `undefined` when nobody is signed in. The client ID comes from here
   * alone: the body and the query of the request are never read for it.
   */
  authenticate: (request: Request) => TokenSession | undefined | Promise<TokenSession | undefined>;
  /**
   * Other origins whose pages may ask, with cookies: exact ones, such as `https://app.example.com`, with no path and no
   * wildcard. Your own origin needs no entry, unless a proxy rewrites `Host` and the browser does not say
   * `Sec-Fetch-Site` (older than 2023, or a page on plain `http`).
   *
   * @default []
   */
  allowedOrigins?: readonly string[] | undefined;
  /**
   * Told of everything that failed on your side or the API's, and once of each page that a token cannot work on. What it
   * throws is ignored. The third argument is kept apart because printing a `Request` prints its cookies.
   *
   * @default the error, or the warning, goes to `console`
   */
  onError?: ((error: unknown, report: TokenHandlerReport, request: Request) => void) | undefined;
}

/** What belongs to an error that `onError` is told of. It holds no key and no token. */
export interface TokenHandlerReport {
  /** `warning` when the token was asked for all the same. */
  severity: "error" | "warning";
  /** The status that the caller got; `undefined` for a warning. */
  status: number | undefined;
  /** Whose token it was, where `authenticate` got that far. */
  clientId: string | undefined;
}

/** The `error` field of an answer that is not 200. `Response` bodies are `{"error":"…"}`, and hold nothing else. */
export type TokenHandlerFailure =
  /** 401: nobody is signed in. */
  | "unauthenticated"
  /** 403: a page of another origin asked. */
  | "cross_origin"
  /** 405: neither a `POST` nor the preflight of an allowed origin. */
  | "method_not_allowed"
  /** 429: the API's limit or the local one; `Retry-After` tells how many seconds to wait. */
  | "rate_limited"
  /** 499: the caller has gone, so nobody reads this. */
  | "aborted"
  /** 500: `authenticate`, `target` or the set-up failed. */
  | "internal_error"
  /** 502: the API refused, or gave no usable answer. */
  | "upstream_failed"
  /** 504: the API did not answer in time. */
  | "timeout";

/** The page that asks for a token is not one on which it can work. It reaches `onError`, never the caller. */
export class ReferrerMismatchWarning extends Error {
  /** The name of the class, as a literal that survives minifying. */
  override readonly name = "ReferrerMismatchWarning";
}

type Failure = [status: number, error: TokenHandlerFailure, headers?: Record<string, string>];

/** What the caller is told to wait when neither the API nor the local limit says how long. */
const RETRY_AFTER_MS = 5_000;
/** Warnings that are remembered, so that an endpoint that many hosts share cannot fill the memory. */
const MAX_WARNINGS = 100;
const NO_STORE = { "cache-control": "no-store" };

/**
 * Makes the endpoint that your frontend calls for a token: `POST`, answered with `{"token":"…"}`, or with
 * `{"error":"…"}` and nothing of what went wrong behind it.
 *
 * It answers only your own signed-in users, only pages of its own origin and of `allowedOrigins`, and mints only for
 * the client that `authenticate` names. A request that no browser sent goes straight to `authenticate`. When the caller
 * goes away, the call to the API ends.
 *
 * @throws `TypeError` that names a wrong or missing option
 * @example
 * const handler = createTokenHandler({
 *   complycube: new ComplyCube(),
 *   target: { referrer: "https://www.example.com/*" },
 *   authenticate: async (request) => (await sessionOf(request))?.user,
 * });
 */
export function createTokenHandler(options: TokenHandlerOptions): TokenHandler {
  const { complycube, target, authenticate, onError = printError } = checkOptions(options);
  const allowedOrigins = new Set(checkOrigins(options.allowedOrigins));
  const warned = new Set<string>();

  function report(
    error: unknown,
    status: number | undefined,
    clientId: string | undefined,
    request: Request,
  ) {
    const severity = status === undefined ? "warning" : "error";
    try {
      const result: unknown = onError(error, { severity, status, clientId }, request);
      Promise.resolve(result).catch(() => {});
    } catch {}
  }

  function warnOfMismatch(bound: TokenTarget, clientId: string, request: Request) {
    const warning = mismatch(bound?.referrer, request);
    if (warning === undefined || warned.size >= MAX_WARNINGS || warned.has(warning)) return;
    warned.add(warning);
    report(new ReferrerMismatchWarning(warning), undefined, clientId, request);
  }

  async function answer(request: Request, isAllowed: boolean): Promise<string | Failure> {
    if (request.method !== "POST") {
      return [405, "method_not_allowed", { allow: allowedOrigins.size > 0 ? "POST, OPTIONS" : "POST" }];
    }
    if (!isAllowed && isCrossOrigin(request)) return [403, "cross_origin"];

    let clientId: string | undefined;
    let failureOf = (_: unknown): Failure => [500, "internal_error"];
    try {
      const session = await authenticate(request);
      if (!session) return [401, "unauthenticated"];
      clientId = session.clientId;
      if (typeof clientId !== "string") {
        throw new TypeError("authenticate must give { clientId: string }, or undefined for someone unknown.");
      }
      const bound = typeof target === "function" ? await target(request, clientId) : target;
      warnOfMismatch(bound, clientId, request);
      failureOf = upstreamFailure;
      return await complycube.token.generate(clientId, bound, { signal: request.signal });
    } catch (error) {
      if (request.signal?.aborted && error === request.signal.reason) return [499, "aborted"];
      const failure = failureOf(error);
      report(error, failure[0], clientId, request);
      return failure;
    }
  }

  return async (request) => {
    const origin = request.headers.get("origin");
    const isAllowed = origin !== null && allowedOrigins.has(origin);
    const headers: Record<string, string> = { ...NO_STORE };
    if (allowedOrigins.size > 0) headers.vary = "Origin";
    if (isAllowed) {
      headers["access-control-allow-origin"] = origin;
      headers["access-control-allow-credentials"] = "true";
      if (request.method === "OPTIONS") return preflight(request, headers);
      headers["access-control-expose-headers"] = "Retry-After";
    }
    const result = await answer(request, isAllowed);
    if (typeof result === "string") return Response.json({ token: result }, { headers });
    const [status, error, more] = result;
    return Response.json({ error }, { status, headers: { ...headers, ...more } });
  };
}

/** Says why the token cannot work on the page that asks for it, as far as its own headers show. */
function mismatch(referrer: string | undefined, { headers }: Request): string | undefined {
  const pageUrl = headers.get("origin");
  if (!pageUrl || referrer === undefined) return undefined;
  // A page sends its Referer here, unless its policy keeps it back from everyone.
  const policies = headers.has("referer") ? ["" as const] : (["", "no-referrer"] as const);
  try {
    for (const referrerPolicy of policies) {
      const { matches, reason, advice } = explainReferrer({ pattern: referrer, pageUrl, referrerPolicy });
      // Of a path, `generate` has its say.
      if (!matches && reason !== "path-not-sent")
        return `A token for ${JSON.stringify(referrer)} cannot work at ${pageUrl}. ${advice}`;
    }
  } catch {} // The pattern is wrong, which `generate` says, or the page has no URL.
  return undefined;
}

/** By `code` and not by class, so that an error from another copy of this package counts as well. */
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

function checkOptions(options: TokenHandlerOptions): TokenHandlerOptions {
  checkFields("options", options, ["complycube", "target", "authenticate", "allowedOrigins", "onError"]);
  const { complycube, target, authenticate, onError } = options;
  if (typeof complycube?.token?.generate !== "function")
    throw new TypeError("complycube must be a ComplyCube.");
  if (typeof authenticate !== "function") {
    throw new TypeError(
      `authenticate must be a function that tells who is asking, not ${kindOf(authenticate)}.`,
    );
  }
  if (onError !== undefined && typeof onError !== "function") {
    throw new TypeError(`onError must be a function, not ${kindOf(onError)}.`);
  }
  // A fixed target fails when the server starts, not when the first user comes; the client has its say on wildcards and paths.
  if (typeof target !== "function") {
    checkTokenRequest("CLIENT_ID", target, { allowAnyReferrer: true, allowReferrerPath: true });
  }
  return options;
}
