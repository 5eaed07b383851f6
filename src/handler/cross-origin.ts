import { kindOf } from "../core/checks.ts";
import { quote as quoteText } from "../referrer/error.ts";

/**
 * Returns whether a browser sent this for a page of another origin, by the rules of Go's `CrossOriginProtection`. A page
 * cannot set any of these headers. A program that is no browser can, but it has nobody else's cookies.
 *
 * @see https://pkg.go.dev/net/http#CrossOriginProtection
 */
export function isCrossOrigin({ headers, url }: Request): boolean {
  const site = headers.get("sec-fetch-site");
  if (site) return site !== "same-origin" && site !== "none";
  const origin = headers.get("origin");
  return origin ? !isOwnHost(origin, headers.get("host") ?? new URL(url).host) : false;
}

/** Compares the hosts alone, because behind a proxy that ends TLS the request's own scheme is missing or wrong. */
function isOwnHost(origin: string, host: string): boolean {
  try {
    return new URL(`${new URL(origin).protocol}//${host}`).href === `${origin}/`;
  } catch {} // Such as `Origin: null`, which a sandboxed frame sends.
  return false;
}

/** Answers the preflight of an allowed origin. Every header is allowed, because tracing tools add their own. */
export function preflight(request: Request, headers: Record<string, string>): Response {
  const asked = request.headers.get("access-control-request-headers");
  return new Response(null, {
    status: 204,
    headers: {
      ...headers,
      "access-control-allow-methods": "POST",
      ...(asked && { "access-control-allow-headers": asked }),
      "access-control-max-age": "600",
    },
  });
}

/** Checks that every entry is one exact origin, as a browser writes it in `Origin`. */
export function checkOrigins(origins: unknown = []): string[] {
  if (!Array.isArray(origins))
    throw new TypeError(`allowedOrigins must be an array, not ${kindOf(origins)}.`);
  return origins.map((entry) => {
    const origin = originOf(entry);
    if (origin !== undefined && origin === entry) return origin;
    const hint = origin === undefined ? 'One looks like "https://app.example.com".' : `Use ${quote(origin)}.`;
    throw new TypeError(
      `allowedOrigins must hold exact origins, without path or wildcard: ${quote(entry)} is none. ${hint}`,
    );
  });
}

const WITHOUT_ORIGIN = ["file:", "ftp:", "ws:", "wss:"];

/** Returns the origin of a URL; `undefined` if browsers write none for it, or if a wildcard stands for many. */
function originOf(url: string | URL): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host } = new URL(url);
  if (host === "" || host.includes("*") || WITHOUT_ORIGIN.includes(protocol)) return undefined;
  // Not its `origin`: `URL` has none for schemes such as capacitor: and chrome-extension:, but browsers send one.
  return `${protocol}//${host}`;
}

/** Says which page was refused, and which entry of `allowedOrigins` would allow it. */
export function explainRefusal(origin: string | null): string {
  if (origin === null)
    return "A page of another site asked for a token without an Origin header, and was refused.";
  const asked = `A page of ${quote(origin)} asked for a token and was refused`;
  return originOf(origin) === origin
    ? `${asked}: it is not this endpoint's own origin. If the page is yours, pass allowedOrigins: [${quote(origin)}].`
    : `${asked}: nothing in allowedOrigins can let in a page without an origin of its own.`;
}

/** Quotes for a message what a stranger may have sent: cut, and without characters that control a terminal. */
export function quote(value: unknown): string {
  const text = typeof value === "string" ? quoteText(value) : kindOf(value);
  return text.replace(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
