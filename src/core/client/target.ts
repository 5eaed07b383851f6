import type { TokenRequest } from "../../../generated/hey-api/types.gen.ts";
import type { components } from "../../../generated/openapi-typescript/schema.d.ts";
import { quote } from "../../referrer/error.ts";
import {
  matchesReferrer,
  parseReferrerPattern,
  ReferrerPatternError,
  referrerPatternFor,
} from "../../referrer/index.ts";
import { checkFields, kindOf, misuse } from "../checks.ts";

type Wire = components["schemas"];

/**
 * A token for the Web SDK, bound to the pages that `referrer`, a Chrome match pattern, matches. Under the browsers'
 * default `Referrer-Policy` only an origin works, such as `https://www.example.com/*`: a path never arrives.
 *
 * @see https://developer.chrome.com/docs/extensions/develop/concepts/match-patterns
 */
export interface WebTarget extends Pick<Wire["WebTokenRequest"], "referrer"> {
  /** Never together with `referrer`. */
  appId?: never;
  /** It is an argument of its own, so that nothing in a target can replace it. */
  clientId?: never;
}

/** A token for a Mobile SDK, bound to the app with this iOS bundle ID or Android application ID, `appId`. */
export interface MobileTarget extends Pick<Wire["MobileTokenRequest"], "appId"> {
  /** Never together with `appId`. */
  referrer?: never;
  /** It is an argument of its own, so that nothing in a target can replace it. */
  clientId?: never;
}

/** What a token is bound to: exactly one of a web page and an app. */
export type TokenTarget = WebTarget | MobileTarget;

const EXAMPLES =
  'either { referrer: "https://www.example.com/*" } for the Web SDK or { appId: "com.example.app" } for a Mobile SDK';
/** Shown where the arguments are mixed up. */
const CALL = 'The call is generate("CLIENT_ID", { referrer: "https://www.example.com/*" }).';

/** Which patterns are accepted although they protect little, or seldom work. */
export interface AllowedReferrers {
  allowAnyReferrer: boolean;
  allowReferrerPath: boolean;
}

/** Checks both arguments and makes the body of the request; nothing in `target` can replace `clientId`. */
export function checkTokenRequest(
  clientId: unknown,
  target: unknown,
  allowed: AllowedReferrers,
): TokenRequest {
  const isCallMixedUp = typeof clientId === "object" || target === undefined || typeof target === "string";
  checkText("clientId", clientId, "the ID of the client", isCallMixedUp ? CALL : undefined);
  if (/^(live|test)_\w{8}/.test(clientId)) {
    throw misuse(
      "clientId",
      "looks like an API key",
      "Pass the ID of the client, and the key as { apiKey }.",
    );
  }
  // Own fields only: what a polluted Object.prototype holds must not bind a token.
  const fields = Object.entries(checkFields("target", target as object, ["referrer", "appId"], CALL));
  const [field, ...more] = fields;
  if (field === undefined || more.length > 0) {
    const found = fields.map(([name]) => name).join(" and ") || "none";
    throw misuse("target", `must have exactly one field and has ${found}`, `Pass ${EXAMPLES}.`);
  }
  const [name, value] = field;
  return name === "referrer"
    ? { clientId, referrer: checkReferrer(value, allowed) }
    : { clientId, appId: checkAppId(value) };
}

/** Returns the pattern as browsers write its host, since nothing says that the API does so before it compares. */
function checkReferrer(referrer: unknown, { allowAnyReferrer, allowReferrerPath }: AllowedReferrers): string {
  checkText("referrer", referrer, "a match pattern, such as https://www.example.com/*");
  if (looksLikeAppId(referrer)) {
    throw misuse(
      "referrer",
      `${quote(referrer)} looks like an app ID`,
      `Pass { appId: ${quote(referrer)} }. If it is a web host, pass { referrer: ${quote(`https://${referrer}/*`)} }.`,
    );
  }
  const { scope, host, path, canonical } = parseReferrerPattern(referrer);
  if (/(^|\.)(undefined|null)$|[${}]/.test(host)) {
    throw misuse(
      "referrer",
      `${quote(referrer)} holds a value that was never filled in`,
      "Is an environment variable missing?",
    );
  }
  // Chrome's grammar has room for them: a comma in a host, and a whole pattern in a path.
  if (/[,;]/.test(host) || /[,;](https?|\*):\/\//.test(path)) {
    throw new ReferrerPatternError(referrer, "several-patterns", referrer.search(/[,;]/));
  }
  if (scope === "any" && !allowAnyReferrer) {
    throw misuse(
      "referrer",
      `${quote(referrer)} matches every site, so a stolen token would work anywhere`,
      "Use your own page's origin, such as https://www.example.com/*. If you must, pass { allowAnyReferrer: true }.",
    );
  }
  const isPathSent = matchesReferrer(`*://*${path}`, "https://www.example.com/");
  if (!isPathSent && !allowReferrerPath) {
    const hint =
      " If all your users have Chrome and your pages set Referrer-Policy: unsafe-url, pass { allowReferrerPath: true }.";
    throw new ReferrerPatternError(referrer, "path-not-sent", referrer.length - path.length, hint);
  }
  return canonical;
}

/** Letters, digits, `_`, `-` and dots in two parts or more: what Apple and Google allow between them, and not more. */
function checkAppId(appId: unknown): string {
  checkText("appId", appId, "a bundle ID or application ID, such as com.example.app");
  if (/^www\./i.test(appId)) {
    throw misuse(
      "appId",
      `${quote(appId)} is a web host`,
      `For the Web SDK pass { referrer: ${quote(`https://${appId}/*`)} }.`,
    );
  }
  if (/^[\w-]+(\.[\w-]+)+$/.test(appId)) return appId;
  if (URL.canParse(appId) && /^https?:/i.test(appId)) {
    throw misuse(
      "appId",
      `${quote(appId)} is the URL of a page`,
      `For the Web SDK pass { referrer: ${quote(referrerPatternFor(appId))} }.`,
    );
  }
  throw misuse(
    "appId",
    `${quote(appId)} is not a bundle ID or application ID`,
    'It must be parts of letters, digits, "_" and "-" with dots between them, such as com.example.app.',
  );
}

function checkText(name: string, value: unknown, what: string, advice?: string): asserts value is string {
  if (typeof value !== "string") {
    const hint = value === undefined ? "Is an environment variable missing?" : undefined;
    throw misuse(name, `must be ${what}, not ${kindOf(value)}`, advice ?? hint);
  }
  if (value.trim() === "") throw misuse(name, "is blank", `It must be ${what}.`);
}

/** Reverse-DNS: a top-level domain comes first, and what comes last is not one that hosts often end in. */
function looksLikeAppId(text: string): boolean {
  return (
    /^(com|org|net|io|app|dev|co|me|[a-z]{2})(\.[\w-]+){2,}$/i.test(text) &&
    !/\.(com|org|net|io)$/i.test(text)
  );
}
