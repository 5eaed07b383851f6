import { kindOf, misuse } from "../checks.ts";

/** The claims of a token. None of them is verified. */
export interface TokenContents {
  /** When the token expires, from the claim `exp`; `undefined` where that is missing, or not a number of seconds. */
  expiresAt: Date | undefined;
  /** When the token was minted, from the claim `iat`; `undefined` where that is missing, or not a number of seconds. */
  issuedAt: Date | undefined;
  /** All claims, as they are. ComplyCube documents none of them: depend on none but the two above. */
  claims: Record<string, unknown>;
}

/**
 * Decodes a token and returns its claims, such as when it expires. It does not verify the token: anyone can write one
 * with the same claims, so never authenticate anyone by it. Nothing is sent.
 *
 * @throws `TypeError` when it is not a JSON Web Token; the message shows nothing of it
 * @example
 * const { expiresAt } = inspectToken(token);
 * const isFresh = expiresAt !== undefined && expiresAt.getTime() > Date.now() + 60_000;
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-4.1
 */
export function inspectToken(token: string): TokenContents {
  if (typeof token !== "string") throw misuse("token", `must be a string, not ${kindOf(token)}`);
  const payload = /^[\w-]+=*\.([\w-]+)=*\.[\w-]*=*$/.exec(token)?.[1];
  if (payload === undefined) {
    throw misuse(
      "token",
      "is not a JSON Web Token: it must be three parts in base64url with dots between them",
    );
  }
  const claims = parsePayload(payload);
  if (typeof claims !== "object" || claims === null || Array.isArray(claims)) {
    throw misuse("token", "is not a JSON Web Token: its second part must be a JSON object in base64url");
  }
  const { exp, iat } = claims as Record<string, unknown>;
  return { expiresAt: dateOf(exp), issuedAt: dateOf(iat), claims: claims as Record<string, unknown> };
}

/**
 * Returns the decoded value, or `undefined` where there is none. An error on the way would quote the token, so it is
 * dropped.
 */
function parsePayload(payload: string): unknown {
  try {
    const bytes = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
    // Jest's jsdom has no TextDecoder. Like a strict one, this throws where the bytes are not UTF-8.
    const encoded = Array.from(bytes, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
    return JSON.parse(decodeURIComponent(encoded.join("")));
  } catch {}
  return undefined;
}

/**
 * Returns a time of a JWT, which counts in seconds, or `undefined` where it is not a number or too large for a
 * `Date`.
 */
function dateOf(seconds: unknown): Date | undefined {
  const date = new Date(typeof seconds === "number" ? seconds * 1_000 : Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
