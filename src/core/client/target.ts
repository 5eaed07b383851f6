import type { TokenRequest } from "../../../generated/hey-api/types.gen.ts";
import type { components } from "../../../generated/openapi-typescript/schema.d.ts";
import { parseReferrerPattern, referrerPatternFor } from "../../referrer/index.ts";
import { checkFields, kindOf } from "../checks.ts";
import { redactText } from "../redact.ts";

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

/** Checks both arguments and makes the body of the request; nothing in `target` can replace `clientId`. */
export function checkTokenRequest(
  clientId: unknown,
  target: unknown,
  allowAnyReferrer: boolean,
): TokenRequest {
  checkText("clientId", clientId, "the ID of the client");
  if (/^(live|test)_\w{8}/.test(clientId)) {
    throw new TypeError(
      "clientId looks like an API key. Pass the ID of the client, and the key as { apiKey }.",
    );
  }
  checkFields("target", target, ["referrer", "appId"]);
  // Own fields only: what a polluted Object.prototype holds must not bind a token.
  const fields = Object.entries(target as object);
  const [field, ...more] = fields;
  if (field === undefined || more.length > 0) {
    const found = fields.map(([name]) => name).join(" and ") || "none";
    throw new TypeError(`target must have exactly one field, ${EXAMPLES}; it has ${found}.`);
  }
  const [name, value] = field;
  return name === "referrer"
    ? { clientId, referrer: checkReferrer(value, allowAnyReferrer) }
    : { clientId, appId: checkAppId(value) };
}

function checkReferrer(referrer: unknown, allowAnyReferrer: boolean): string {
  checkText("referrer", referrer, "a match pattern, such as https://www.example.com/*");
  if (looksLikeAppId(referrer)) {
    throw new TypeError(
      `referrer ${quote(referrer)} looks like an app ID: pass { appId: ${quote(referrer)} }. ` +
        `If it is a web host, pass { referrer: ${quote(`https://${referrer}/*`)} }.`,
    );
  }
  const { scope, scheme, host, port, path } = parseReferrerPattern(referrer);
  const origin = `${scheme === "*" ? "https" : scheme}://${host}${port === "*" ? "" : `:${port}`}`;
  if (/(^|\.)(undefined|null)$|[${}]/.test(host)) {
    throw new TypeError(
      `referrer ${quote(referrer)} holds a value that was never filled in. Is an environment variable missing?`,
    );
  }
  if (scope === "any" && !allowAnyReferrer) {
    throw new TypeError(
      `referrer ${quote(referrer)} matches every site, so a stolen token would work anywhere. Use your own page's ` +
        "origin, such as https://www.example.com/*. If you must, pass { allowAnyReferrer: true }.",
    );
  }
  if (scope === "page" && path !== "/") {
    throw new TypeError(
      `referrer ${quote(referrer)} is the URL of one page, and browsers send only the origin to another site, so it ` +
        `would not match. Use ${quote(`${origin}/*`)}.`,
    );
  }
  return referrer;
}

/** Letters, digits, `_`, `-` and dots in two parts or more: what Apple and Google allow between them, and not more. */
function checkAppId(appId: unknown): string {
  checkText("appId", appId, "a bundle ID or application ID, such as com.example.app");
  if (/^www\./i.test(appId)) {
    throw new TypeError(
      `appId ${quote(appId)} is a web host: for the Web SDK pass { referrer: ${quote(`https://${appId}/*`)} }.`,
    );
  }
  if (/^[\w-]+(\.[\w-]+)+$/.test(appId)) return appId;
  if (URL.canParse(appId) && /^https?:/i.test(appId)) {
    throw new TypeError(
      `appId ${quote(appId)} is the URL of a page: for the Web SDK pass { referrer: ${quote(referrerPatternFor(appId))} }.`,
    );
  }
  throw new TypeError(
    `appId ${quote(appId)} is not a bundle ID or application ID: parts of letters, digits, "_" and "-", with dots ` +
      "between them, such as com.example.app.",
  );
}

function checkText(name: string, value: unknown, what: string): asserts value is string {
  if (typeof value !== "string") {
    const hint = value === undefined ? " Is an environment variable missing?" : "";
    throw new TypeError(`${name} must be ${what}, not ${kindOf(value)}.${hint}`);
  }
  if (value.trim() === "") throw new TypeError(`${name} is blank. It must be ${what}.`);
}

/** Reverse-DNS: a top-level domain comes first, and what comes last is not one that hosts often end in. */
function looksLikeAppId(text: string): boolean {
  return (
    /^(com|org|net|io|app|dev|co|me|[a-z]{2})(\.[\w-]+){2,}$/i.test(text) &&
    !/\.(com|org|net|io)$/i.test(text)
  );
}

function quote(text: string): string {
  return redactText(JSON.stringify(text), "");
}
