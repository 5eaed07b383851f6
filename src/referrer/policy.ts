import { quote } from "./error.ts";
import type { ReferrerPattern } from "./pattern.ts";
import { mismatch, parseReferrerPattern } from "./pattern.ts";
import { isWeb, parseUrl, target } from "./url.ts";

const NONE = 0;
const ORIGIN = 1;
const FULL = 2;

/**
 * A `Referrer-Policy`, as in the header, `<meta name="referrer">` or `referrerpolicy`; "" is the browser's default.
 *
 * @see https://www.w3.org/TR/referrer-policy/#referrer-policies
 */
export type PagePolicy =
  | "no-referrer"
  | "no-referrer-when-downgrade"
  | "same-origin"
  | "origin"
  | "strict-origin"
  | "origin-when-cross-origin"
  | "strict-origin-when-cross-origin"
  | "unsafe-url"
  | "";

/** How much of the page's URL is sent to the same origin, to another origin, and from https to http. */
const POLICIES = {
  "no-referrer": [NONE, NONE, NONE],
  "no-referrer-when-downgrade": [FULL, FULL, NONE],
  "same-origin": [FULL, NONE, NONE],
  origin: [ORIGIN, ORIGIN, ORIGIN],
  "strict-origin": [ORIGIN, ORIGIN, NONE],
  "origin-when-cross-origin": [FULL, ORIGIN, ORIGIN],
  "strict-origin-when-cross-origin": [FULL, ORIGIN, NONE],
  "unsafe-url": [FULL, FULL, FULL],
} satisfies Record<Exclude<PagePolicy, "">, [same: number, cross: number, downgrade: number]>;

const DEFAULT_POLICY = "strict-origin-when-cross-origin";
// The limit of the Referrer Policy specification, which Chrome applies to the URL without its fragment.
const MAX_LENGTH = 4096;

/** What `explainReferrer` is asked. */
export interface ReferrerCheck {
  /** The pattern the token is bound to. */
  pattern: string | ReferrerPattern;
  /** The page that runs the Web SDK, as in the address bar. */
  pageUrl: string | URL;
  /**
   * The policy of that page. The default is that of every browser.
   *
   * @default "strict-origin-when-cross-origin"
   */
  referrerPolicy?: PagePolicy | undefined;
  /**
   * What the page calls; only its scheme, host and port matter.
   *
   * @default "https://api.complycube.com"
   */
  apiOrigin?: string | URL | undefined;
  /**
   * Whether the page runs in an iframe with `sandbox` and without `allow-same-origin`, or has such a
   * Content-Security-Policy.
   *
   * @default false
   */
  sandboxed?: boolean | undefined;
}

/** Why a page's requests match a pattern or not. */
export type ReferrerReason =
  /** It matches. */
  | "match"
  /** It matches, but so does any other site: a token that leaks works everywhere. */
  | "any-site"
  /** Only `http` and `https` pages that are not sandboxed send a `Referer`. */
  | "page-sends-none"
  /** The page's policy keeps the `Referer` back. */
  | "policy-sends-none"
  /** An `https` page keeps the `Referer` back from an `http` API. */
  | "downgrade"
  /** The hosts are the same but for a leading `www.`. */
  | "www-differs"
  | "host-differs"
  /** One is `http`, the other `https`. */
  | "scheme-differs"
  /** The pattern names a port, and the page is on another. */
  | "port-differs"
  /** The pattern wants a path, and only the origin is sent. */
  | "path-not-sent"
  /** The path and query are sent, and are not those of the pattern. */
  | "path-differs";

/** What a page sends, and what becomes of it. */
export interface ReferrerExplanation {
  /** Whether the API will accept a token with this pattern from this page. */
  matches: boolean;
  /** The `Referer` header; `null` where none is sent. */
  sent: string | null;
  /** Why, as a literal to branch on. */
  reason: ReferrerReason;
  /** One sentence: what happens and what to change. */
  advice: string;
}

const urlOf = (url: string | URL, name: string, anyScheme = false): URL => {
  const parsed = parseUrl(url);
  if (parsed && (anyScheme || isWeb(parsed))) return parsed;
  throw new TypeError(`${name} must be a URL such as https://www.example.com, not ${quote(String(url))}`);
};

/**
 * Gives the tightest pattern that works under the browser's default policy: `https://host[:port]/*`.
 *
 * @throws `TypeError` when the URL is not `http` or `https`, as no other page sends a `Referer`
 * @example referrerPatternFor("https://www.example.com/verify?step=1") // "https://www.example.com/*"
 */
export function referrerPatternFor(url: string | URL): string {
  return `${urlOf(url, "url").origin}/*`;
}

/**
 * Tells what `Referer` a page will really send to the API, whether the pattern matches it, and if not, why and what
 * to change. No request is made.
 *
 * It answers for Chrome. Safari, and Firefox in strict or private mode, send only the origin to another site even under
 * `unsafe-url` and `no-referrer-when-downgrade`; `advice` says so where it matters.
 *
 * @throws {@link ReferrerPatternError} when the pattern is not valid
 * @throws `TypeError` when `pageUrl` or `apiOrigin` is not a URL, or `referrerPolicy` is not a policy
 * @example
 * explainReferrer({ pattern: "https://www.example.com/verify/*", pageUrl: "https://www.example.com/verify/1" });
 * // { matches: false, sent: "https://www.example.com/", reason: "path-not-sent",
 * //   advice: 'Only "https://www.example.com/" is sent, …: use "https://www.example.com/*".' }
 * @see https://www.w3.org/TR/referrer-policy/
 */
export function explainReferrer(check: ReferrerCheck): ReferrerExplanation {
  const pattern = typeof check.pattern === "string" ? parseReferrerPattern(check.pattern) : check.pattern;
  const policy = check.referrerPolicy || DEFAULT_POLICY;
  const policies = Object.keys(POLICIES);
  if (!policies.includes(policy)) {
    throw new TypeError(`referrerPolicy must be one of ${policies.join(", ")}, not ${quote(String(policy))}`);
  }
  const api = urlOf(check.apiOrigin ?? "https://api.complycube.com", "apiOrigin");
  const page = urlOf(check.pageUrl, "pageUrl", true);

  const { protocol, host } = page;
  const origin = `${page.origin}/`;
  const full = page.origin + target(page);
  const sameOrigin = page.origin === api.origin;
  // Chrome looks at the schemes alone. The specification would let a loopback API over http have the Referer.
  const downgrade = protocol === "https:" && api.protocol === "http:";
  const mute = check.sandboxed || !isWeb(page);
  const amount = mute ? NONE : POLICIES[policy][downgrade ? 2 : sameOrigin ? 0 : 1];
  const cut = amount === FULL && full.length > MAX_LENGTH;
  const sent = amount === NONE ? null : amount === FULL && !cut ? full : origin;
  const part = sent === null ? null : mismatch(pattern, new URL(sent));

  const decide = (): [ReferrerReason, string] => {
    if (sent === null || part === null) {
      const hopeless = "page sends no Referer, so no pattern can match:";
      if (check.sandboxed) {
        return ["page-sends-none", `This sandboxed ${hopeless} add allow-same-origin to its sandbox.`];
      }
      if (mute) {
        return [
          "page-sends-none",
          `This ${protocol} ${hopeless} serve it over http or https, or use appId in a mobile app.`,
        ];
      }
      return POLICIES[policy][1]
        ? ["downgrade", `To an http API an https ${hopeless} call the API over https.`]
        : [
            "policy-sends-none",
            `Under Referrer-Policy: ${policy} the ${hopeless} set it to ${DEFAULT_POLICY}.`,
          ];
    }
    const best = quote(`${origin}*`);
    const fix = `use ${best}.`;
    const sends = `The page sends ${quote(sent)}`;
    if (!part) {
      const fits = `${sends}, which the pattern matches`;
      if (pattern.scope === "any") {
        return ["any-site", `${fits} like any other site, so a leaked token works anywhere: ${fix}`];
      }
      const onlyInChrome = !sameOrigin && mismatch(pattern, new URL(origin));
      return [
        "match",
        `${fits}${onlyInChrome ? `, but Safari, and Firefox in strict mode, send only ${quote(origin)}: ${fix}` : "."}`,
      ];
    }
    const wanted = `the pattern is for the ${part} ${quote(pattern[part])}`;
    if (part === "path" && (cut || amount === ORIGIN)) {
      const cause = cut
        ? `of a URL longer than ${MAX_LENGTH} characters`
        : `under Referrer-Policy: ${policy}`;
      return [
        "path-not-sent",
        `Only ${quote(origin)} is sent ${cause}, but ${wanted}, which never arrives: ${fix}`,
      ];
    }
    const bare = host.replace(/^www\./, "");
    const other = parseUrl(`http://${bare === host ? `www.${host}` : bare}`);
    return part === "host" && other && mismatch(pattern, other) !== part
      ? [
          "www-differs",
          `${sends}, but ${wanted}: use ${best}, or ${quote(`${protocol}//*.${bare}/*`)} for both.`,
        ]
      : [`${part}-differs`, `${sends}, but ${wanted}: ${fix}`];
  };
  const [reason, advice] = decide();
  return { matches: part === undefined, sent, reason, advice };
}
