import { kindOf } from "../core/checks.ts";
import { quote as quoteText } from "../referrer/error.ts";

/**
 * Tells whether a browser sent this for a page of another origin, by the rules of Go's `CrossOriginProtection`. A page
 * can set none of these headers; what is no browser can, and holds nobody else's cookies.
 *
 * @see https://pkg.go.dev/net/http#CrossOriginProtection
 */
export function isCrossOrigin({ headers, url }: Request): boolean {
  const site = headers.get("sec-fetch-site");
  if (site) return site !== "same-origin" && site !== "none";
  const origin = headers.get("origin");
  return origin ? !isOwnHost(origin, headers.get("host") ?? new URL(url).host) : false;
}

/** The host is read with the scheme of the origin, since behind a proxy that ends TLS it comes with none or another. */
function isOwnHost(origin: string, host: string): boolean {
  try {
    return new URL(`${new URL(origin).protocol}//${host}`).href === `${origin}/`;
  } catch {
    return false; // Such as `Origin: null`, which a sandboxed frame sends.
  }
}

/** The origin is one of those named, so its page may send what headers it likes: tracing tools add their own. */
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

/** The origin of a URL; `undefined` where browsers write none for it, or where it is not one but many. */
function originOf(text: unknown): string | undefined {
  if (typeof text !== "string" || !URL.canParse(text)) return undefined;
  const { protocol, host, origin } = new URL(text);
  if (host === "" || host.includes("*") || /^(file|ftp|wss?):$/.test(protocol)) return undefined;
  // The URL standard knows none for a scheme such as capacitor: or chrome-extension:, but browsers write it all the same.
  return origin === "null" ? `${protocol}//${host}` : origin;
}

/** Says who was refused, and what would let that page in. */
export function explainRefusal(origin: string | null): string {
  if (origin === null)
    return "A page of another site asked for a token, without its Origin, and was refused.";
  const asked = `A page of ${quote(origin)} asked for a token and was refused`;
  return originOf(origin) === origin
    ? `${asked}: it is not this endpoint's own origin. If the page is yours, pass allowedOrigins: [${quote(origin)}].`
    : `${asked}: nothing in allowedOrigins can let in a page without an origin of its own.`;
}

/** Quotes what a stranger may have sent, without any character that a terminal would obey. */
export function quote(value: unknown): string {
  const text = typeof value === "string" ? quoteText(value) : kindOf(value);
  return text.replace(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
