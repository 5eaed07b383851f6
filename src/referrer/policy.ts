import { quote } from "./error.ts";
import { baseOf, type ReferrerPattern } from "./grammar.ts";
import { differingPart } from "./match.ts";
import { parseReferrerPattern } from "./pattern.ts";
import { isWeb, parseUrl, pathAndQuery } from "./url.ts";

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

const DEFAULT_POLICY = "strict-origin-when-cross-origin";

// The limit of the Referrer Policy specification, which Chrome applies to the URL without its fragment.
const MAX_LENGTH = 4096;

/**
 * The longest URL that Chrome sends whole to the API, which is https and on another site than any customer's page.
 * 0 where every browser sends the origin, and `null` where none sends anything.
 */
const SENT_WHOLE: Record<Exclude<PagePolicy, "">, number | null> = {
  "no-referrer": null,
  "no-referrer-when-downgrade": MAX_LENGTH,
  "same-origin": null,
  origin: 0,
  "strict-origin": 0,
  "origin-when-cross-origin": 0,
  "strict-origin-when-cross-origin": 0,
  "unsafe-url": MAX_LENGTH,
};

const A_URL = "a URL such as https://www.example.com";

/** What `explainReferrer` is asked. */
export interface ReferrerCheck {
  /** The pattern the token is bound to. */
  pattern: string | ReferrerPattern;
  /** The page that runs the Web SDK, as in the address bar. */
  pageUrl: string | URL;
  /**
   * The policy of that page. The default is that of every browser.
   *
   * A page in another site's iframe must set a policy of its own: without one, Safari uses the embedding page's.
   *
   * @default "strict-origin-when-cross-origin"
   */
  referrerPolicy?: PagePolicy | undefined;
}

/** Why a page's requests match a pattern or not. */
export type ReferrerReason =
  /** It matches in every browser. */
  | "match"
  /** It matches in every browser, but so does any other site: a token that leaks works everywhere. */
  | "any-site"
  /** The page is not `http` or `https`, such as `about:srcdoc`, `blob:` or `file:`. Browsers differ in what it sends. */
  | "not-a-web-page"
  /** The page's policy keeps the `Referer` back. */
  | "policy-sends-none"
  /** The hosts are the same but for a leading `www.`. */
  | "www-differs"
  | "host-differs"
  /** One is `http`, the other `https`. */
  | "scheme-differs"
  /** The pattern names a port, and the page is on another. */
  | "port-differs"
  /** The pattern wants a path, and only Chrome sends it; Firefox and Safari send the origin. */
  | "only-in-chrome"
  /** The pattern wants a path, and it is not sent. */
  | "path-not-sent"
  /** Firefox and Safari send the origin, which matches. Chrome sends path and query too, which do not. */
  | "path-differs";

/** What a page sends, and what becomes of it. */
export interface ReferrerExplanation {
  /** Whether the API accepts a token with this pattern from this page, in Chrome, Firefox and Safari alike. */
  matches: boolean;
  /**
   * The `Referer` that every browser sends. Where Chrome sends the whole URL, this is the origin that the others send.
   * `null` where there is none, and for `not-a-web-page`, where it depends on the browser.
   */
  sent: string | null;
  /** Why, as a literal to branch on. */
  reason: ReferrerReason;
  /** One sentence: what happens and what to change. */
  advice: string;
}

/**
 * Returns the tightest pattern that works in every browser: `https://host[:port]/*`.
 *
 * @throws `TypeError` when the URL is not `http` or `https`, as no other page sends a `Referer`
 * @example referrerPatternFor("https://www.example.com/verify?step=1") // "https://www.example.com/*"
 */
export function referrerPatternFor(url: string | URL): string {
  const page = parseUrl(url);
  if (page === undefined || !isWeb(page)) throw notThis("url", A_URL, url);
  return `${page.origin}/*`;
}

/**
 * Tells what `Referer` a page sends to the API, whether the pattern matches it in Chrome, Firefox and Safari alike, and
 * if not, why and what to change. No request is made.
 *
 * @throws {@link ReferrerPatternError} when the pattern is not valid
 * @throws `TypeError` when `pageUrl` is not a URL, or `referrerPolicy` is not a policy
 * @example
 * explainReferrer({ pattern: "https://www.example.com/verify/*", pageUrl: "https://www.example.com/verify/1" });
 * // { matches: false, sent: "https://www.example.com/", reason: "path-not-sent",
 * //   advice: 'The page sends only "https://www.example.com/", …: use "https://www.example.com/*".' }
 * @see https://www.w3.org/TR/referrer-policy/
 */
export function explainReferrer(check: ReferrerCheck): ReferrerExplanation {
  const pattern = typeof check.pattern === "string" ? parseReferrerPattern(check.pattern) : check.pattern;
  const policy = checkPolicy(check.referrerPolicy);
  const page = parseUrl(check.pageUrl);
  if (page === undefined) throw notThis("pageUrl", A_URL, check.pageUrl);
  if (!isWeb(page)) {
    // What these pages send differs between browsers, so nothing is claimed of it.
    const advice =
      `No pattern works for a ${page.protocol} page in every browser: run the Web SDK in an https page and check that one; ` +
      "a sandboxed iframe needs allow-same-origin, a mobile app appId.";
    return answer("not-a-web-page", null, advice);
  }
  const longest = SENT_WHOLE[policy];
  if (longest === null) {
    const advice = `Under Referrer-Policy: ${policy} the page sends no Referer: set it to ${DEFAULT_POLICY}.`;
    return answer("policy-sends-none", null, advice);
  }
  const whole = page.origin + pathAndQuery(page);
  const sent = `${page.origin}/`;
  return explainSent(pattern, sent, whole.length > longest ? sent : whole, !check.referrerPolicy);
}

/** Explains where an origin is sent, and by Chrome perhaps the whole URL. */
function explainSent(
  pattern: ReferrerPattern,
  sent: string,
  inChrome: string,
  isDefaultPolicy: boolean,
): ReferrerExplanation {
  const page = new URL(sent);
  const best = quote(`${sent}*`);
  const sends = `The page sends ${quote(sent)}${inChrome === sent ? "" : " (Chrome the whole URL)"}`;
  const differing = differingPart(pattern, page);
  const differingInChrome = differingPart(pattern, new URL(inChrome));
  const part = differing ?? differingInChrome;

  if (part === undefined) {
    const matches = `${sends}, which the pattern matches`;
    const embedded = isDefaultPolicy ? "; in another site's iframe it must set the policy itself" : "";
    return pattern.scope === "any"
      ? answer(
          "any-site",
          sent,
          `${matches} like any other site, so a leaked token works anywhere: use ${best}.`,
        )
      : answer("match", sent, `${matches}${embedded}.`);
  }

  const differs = `${sends}, but the pattern is for the ${part} ${quote(pattern[part])}`;
  if (part === "host" && withoutWww(baseOf(pattern.host)) === withoutWww(page.hostname)) {
    const both = quote(`${page.protocol}//*.${withoutWww(page.host)}/*`);
    return answer("www-differs", sent, `${differs}: use ${best}, or ${both} for both.`);
  }
  if (part !== "path" || differing === undefined) {
    return answer(`${part}-differs`, sent, `${differs}: use ${best}.`);
  }
  return differingInChrome === undefined
    ? answer("only-in-chrome", sent, `${differs}, which only Chrome sends: use ${best}.`)
    : answer("path-not-sent", sent, `${differs}, which does not arrive: use ${best}.`);
}

function answer(reason: ReferrerReason, sent: string | null, advice: string): ReferrerExplanation {
  return { matches: reason === "match" || reason === "any-site", sent, reason, advice };
}

function withoutWww(host: string): string {
  return host.replace(/^www\./, "");
}

function checkPolicy(given: PagePolicy | undefined): Exclude<PagePolicy, ""> {
  const policy = given || DEFAULT_POLICY;
  if (Object.hasOwn(SENT_WHOLE, policy)) return policy;
  throw notThis("referrerPolicy", `one of ${Object.keys(SENT_WHOLE).join(", ")}`, policy);
}

/** Its own fields are for a caller that words its own message, such as the command line. */
function notThis(argument: string, wanted: string, given: unknown): TypeError {
  const problem = `must be ${wanted}, not ${quote(String(given))}`;
  return Object.assign(new TypeError(`${argument} ${problem}`), { argument, problem });
}
