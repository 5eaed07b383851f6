import { kindOf } from "../core/checks.ts";

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
  return origins.map((origin) => {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
    if (isWeb && url.origin === origin && !origin.includes("*")) return origin;
    const hint =
      isWeb && !url.host.includes("*")
        ? `Use ${JSON.stringify(url.origin)}.`
        : 'One looks like "https://app.example.com".';
    throw new TypeError(
      `allowedOrigins must hold exact origins, without path or wildcard: ${JSON.stringify(origin)} is none. ${hint}`,
    );
  });
}
