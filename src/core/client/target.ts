import type { TokenRequest } from "../../../generated/hey-api/types.gen.ts";
import type { components } from "../../../generated/openapi-typescript/schema.d.ts";
import { quote } from "../../referrer/error.ts";
import {
  parseReferrerPattern,
  type ReferrerPattern,
  ReferrerPatternError,
  referrerPatternFor,
} from "../../referrer/index.ts";
import { checkFields, kindOf, misuse } from "../checks.ts";

type Wire = components["schemas"];

/**
 * A token for the Web SDK, bound to the pages that `referrer`, a Chrome match pattern, matches. In every browser only an
 * origin works, such as `https://www.example.com/*`; a pattern with a path is refused without `allowReferrerPath`.
 *
 * @see https://developer.chrome.com/docs/extensions/develop/concepts/match-patterns
 */
export interface WebTarget extends Omit<Wire["WebTokenRequest"], "clientId"> {
  /** Never together with `referrer`. */
  appId?: never;
  /** The client ID is a separate argument, so that nothing in a target can replace it. */
  clientId?: never;
}

/** A token for a Mobile SDK, bound to the app with this iOS bundle ID or Android application ID, `appId`. */
export interface MobileTarget extends Omit<Wire["MobileTokenRequest"], "clientId"> {
  /** Never together with `appId`. */
  referrer?: never;
  /** The client ID is a separate argument, so that nothing in a target can replace it. */
  clientId?: never;
}

/** What a token is bound to: exactly one of a web page and an app. */
export type TokenTarget = WebTarget | MobileTarget;

const EXAMPLES =
  'either { referrer: "https://www.example.com/*" } for the Web SDK or { appId: "com.example.app" } for a Mobile SDK';
/** The advice where the arguments are mixed up. */
const CALL = 'The call is generate("CLIENT_ID", { referrer: "https://www.example.com/*" }).';

/** Which patterns are accepted although they protect little or work in few browsers. */
export interface AllowedReferrers {
  allowAnyReferrer: boolean;
  allowReferrerPath: boolean;
}

/** A field of a request: its type, the words for it, and a further check. */
interface Field<T> {
  type: T extends string ? "string" : T extends number ? "number" : never;
  /** Follows "must be" in a message, and stands in the command line's help. */
  what: string;
  /** Returns the value to send. */
  check?(value: T, allowed: AllowedReferrers): T;
}

type RequiredFields<R> = R extends unknown
  ? { [F in keyof R]-?: object extends Pick<R, F> ? never : F }[keyof R]
  : never;
type Fields<R> = { [F in Exclude<keyof R, "clientId">]-?: Field<NonNullable<R[F]>> };
/** What a token can be bound to: the field that one kind of request must have. */
type Binding = Exclude<RequiredFields<TokenRequest>, "clientId">;

/**
 * The fields of a target, by what it is bound to. `generate`, `generateMany`, the handler and the command line all read
 * them here. The compiler names a field of the spec that is missing.
 */
export const TARGET_FIELDS = {
  referrer: {
    referrer: {
      type: "string",
      what: "a match pattern, such as https://www.example.com/*",
      check: checkReferrer,
    },
  },
  appId: {
    appId: {
      type: "string",
      what: "a bundle ID or application ID, such as com.example.app",
      check: checkAppId,
    },
  },
} satisfies { [B in Binding]: Fields<Extract<TokenRequest, Record<B, unknown>>> };

// Marked as pure, so that a bundler can leave them out where only the errors of this package are used.
const BINDINGS = /* @__PURE__ */ Object.keys(TARGET_FIELDS) as Binding[];
/** The names of all fields that a target can have. */
export const TARGET_FIELD_NAMES = /* @__PURE__ */ (() => [
  ...new Set(Object.values(TARGET_FIELDS).flatMap(Object.keys)),
])();
const CLIENT_ID: Field<string> = { type: "string", what: "the ID of the client", check: refuseKey };

/** Checks both arguments and makes the body of the request; nothing in `target` can replace `clientId`. */
export function checkTokenRequest(
  clientId: unknown,
  target: unknown,
  allowed: AllowedReferrers,
): TokenRequest {
  const isCallMixedUp = typeof clientId === "object" || target === undefined || typeof target === "string";
  const request: Record<string, unknown> = {
    clientId: checkField("clientId", clientId, CLIENT_ID, allowed, isCallMixedUp ? CALL : undefined),
  };
  // Own fields only: a field of a polluted Object.prototype must not bind a token.
  const given = checkFields("target", target as Record<string, unknown>, TARGET_FIELD_NAMES, CALL);
  const [binding, ...more] = BINDINGS.filter((name) => Object.hasOwn(given, name));
  if (binding === undefined || more.length > 0) {
    const found = binding === undefined ? "none" : [binding, ...more].join(" and ");
    throw misuse(
      "target",
      `must have exactly one field of ${BINDINGS.join(" and ")} and has ${found}`,
      `Pass ${EXAMPLES}.`,
    );
  }
  const fields: Record<string, Field<string | number>> = TARGET_FIELDS[binding];
  for (const [name, value] of Object.entries(given)) {
    const field = fields[name];
    if (value === undefined && name !== binding) continue; // Counts as left out.
    if (field === undefined) throw misuse("target", `must not have ${name} beside ${binding}`);
    request[name] = checkField(name, value, field, allowed);
  }
  return request as TokenRequest;
}

function checkField(
  name: string,
  value: unknown,
  field: Field<string | number>,
  allowed: AllowedReferrers,
  advice?: string,
): unknown {
  const { type, what, check } = field;
  if (typeof value !== type) {
    const hint = value === undefined ? "Is an environment variable missing?" : undefined;
    throw misuse(name, `must be ${what}, not ${kindOf(value)}`, advice ?? hint);
  }
  if (typeof value === "string" && value.trim() === "") throw misuse(name, "is blank", `It must be ${what}.`);
  // JSON has no NaN and no Infinity.
  if (typeof value === "number" && !Number.isFinite(value))
    throw misuse(name, `must be ${what}, not ${value}`);
  return check === undefined ? value : check(value as string | number, allowed);
}

function refuseKey(clientId: string): string {
  if (!/^(live|test)_\w{8}/.test(clientId)) return clientId;
  throw misuse("clientId", "looks like an API key", "Pass the ID of the client, and the key as { apiKey }.");
}

/** Nearly every call has the same pattern, and it takes as long to parse as the rest of the checks. */
let lastPattern: ReferrerPattern | undefined;

/** Returns the pattern with its host as browsers write it, because the API may compare the two as plain text. */
function checkReferrer(referrer: string, { allowAnyReferrer, allowReferrerPath }: AllowedReferrers): string {
  if (looksLikeAppId(referrer)) {
    throw misuse(
      "referrer",
      `${quote(referrer)} looks like an app ID`,
      `Pass { appId: ${quote(referrer)} }. If it is a web host, pass { referrer: ${quote(`https://${referrer}/*`)} }.`,
    );
  }
  if (lastPattern?.pattern !== referrer) lastPattern = parseReferrerPattern(referrer);
  const { scope, host, path, canonical } = lastPattern;
  if (/(^|\.)(undefined|null)$|[${}]/.test(host)) {
    throw misuse(
      "referrer",
      `${quote(referrer)} holds a value that was never filled in`,
      "Is an environment variable missing?",
    );
  }
  // Chrome's grammar allows a comma in a host, and a whole pattern in a path, so a list of patterns can pass as one.
  if (/[,;]/.test(host) || /[,;](https?|\*):\/\//.test(path)) {
    throw new ReferrerPatternError(referrer, "several-patterns", referrer.search(/[,;]/));
  }
  if (scope === "any" && !allowAnyReferrer) {
    throw misuse(
      "referrer",
      `${quote(referrer)} matches every site, so a stolen token would work anywhere`,
      "Use your own page's origin, such as https://www.example.com/*. If you accept that, pass { allowAnyReferrer: true }.",
    );
  }
  // Every browser sends the path "/", which such a pattern matches; each "*" can stand for nothing.
  const needsPath = path.replaceAll("*", "") !== "/";
  if (needsPath && !allowReferrerPath) {
    const advice =
      "If all your users have Chrome and your pages set Referrer-Policy: unsafe-url, pass { allowReferrerPath: true }.";
    const error = new ReferrerPatternError(
      referrer,
      "path-not-sent",
      referrer.length - path.length,
      ` ${advice}`,
    );
    throw Object.defineProperty(error, "advice", { value: advice }); // As `misuse` has it.
  }
  return canonical;
}

/** Accepts what Apple or Google allows: two or more parts of letters, digits, `_` and `-`, with dots between them. */
function checkAppId(appId: string): string {
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

/** Recognises reverse DNS: the first part is a top-level domain, and the last is not a common one. */
function looksLikeAppId(text: string): boolean {
  return (
    /^(com|org|net|io|app|dev|co|me|[a-z]{2})(\.[\w-]+){2,}$/i.test(text) &&
    !/\.(com|org|net|io)$/i.test(text)
  );
}
