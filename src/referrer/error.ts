import { parseUrl } from "./url.ts";

/** What is wrong with a pattern. */
export type ReferrerPatternErrorReason =
  /** It is not a string; often an environment variable that is not set. */
  | "not-a-string"
  /** There is no `://`. */
  | "missing-scheme-separator"
  /** The scheme is none of `http`, `https` and `*`. No other kind of page sends a `Referer`. */
  | "scheme-not-allowed"
  /** There is nothing between `://` and the port or path. */
  | "empty-host"
  /** A `*` stands elsewhere than alone or as the first label. */
  | "host-wildcard"
  /** The host holds a character that no host can, or is a malformed IPv4 address. */
  | "invalid-host"
  /** An IPv6 address without brackets, malformed, or under `*.`. */
  | "invalid-ipv6"
  /**
   * The port is neither `*` nor a number from 0 to 65535 written as in a URL, or it is a number and the scheme is `*`:
   * Chrome takes a number only with `http` or `https`.
   */
  | "invalid-port"
  /** There is no `/` after the host. */
  | "missing-path"
  /** The path holds what is never in a `Referer`: `#`, a space or a control character. */
  | "unmatchable-path";

const PROBLEMS: Record<ReferrerPatternErrorReason, string> = {
  "not-a-string": "it is not a string; is an environment variable not set?",
  "missing-scheme-separator": 'there is no "://"',
  "scheme-not-allowed": 'the scheme must be "https", "http" or "*"',
  "empty-host": "the host is empty",
  "host-wildcard": '"*" must be the whole host or a leading "*."',
  "invalid-host": "the host is invalid",
  "invalid-ipv6": "an IPv6 address must be whole, in brackets and alone",
  "invalid-port": 'the port must be "*" or, with the scheme "https" or "http", a number up to 65535',
  "missing-path": 'there is no path, such as "/*"',
  "unmatchable-path": "a Referer never holds this character",
};

const MAX_SHOWN = 120;
const API_KEYS = /(live|test)_[\w-]{8,}/g;

/** Quotes text for a message. API keys are blotted out before it is cut, so that the cut leaves no part of one. */
export const quote = (text: string) => {
  const shown = text.replace(API_KEYS, "$1_…");
  return JSON.stringify(shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown);
};

/** The pattern that was probably meant, by forgiving common slips. It may not be valid either. */
export const guessPattern = (text: string): string => {
  const trimmed = text.trim();
  const rest = trimmed.replace(/^((\*|http[()*?s]*):)?\/*/i, "");
  const local = /^(localhost|127\.|\[::1)/.test(rest) ? "http:" : "https:";
  const [scheme = local] = /^https?:/i.exec(trimmed) ?? [];
  // The URL parser encodes the path and drops credentials, line breaks and a port's zeros.
  const url = parseUrl(`${scheme}//${rest}`);
  // Another scheme cannot be mended, and a lone word is as likely to be `undefined` as it is a host.
  if (!url || rest.includes("://") || !/[.:]|localhost/.test(url.host + text)) return "";
  const host = url.host.replace(/^\*[*.]*(?=[^-.])/, "*.");
  // A URL with a fragment was copied from the address bar. Its path would not arrive under the default policy.
  return `${url.protocol}//${host}${url.hash || url.pathname === "/" ? "/*" : url.pathname + url.search}`;
};

/**
 * The pattern is not one that Chrome accepts, or could never match a `Referer`. The message shows the pattern, the
 * place and, where one can be guessed, a pattern to use instead. An API key passed by mistake is not shown.
 */
export class ReferrerPatternError extends TypeError {
  /** The name of the class, as a literal that survives minifying. */
  override readonly name = "ReferrerPatternError";
  /** What is wrong, as a literal to branch on. */
  declare readonly reason: ReferrerPatternErrorReason;
  /** Where in the pattern the trouble starts, counted in UTF-16 units from 0; the pattern's length when something is missing at its end. */
  declare readonly index: number;

  /**
   * `meant` is a valid pattern to use instead.
   *
   * @internal
   */
  constructor(text: string, reason: ReferrerPatternErrorReason, index: number, meant?: string) {
    const place = index < text.length ? `at index ${index}, ${quote(text.slice(index))}` : "at its end";
    const fix =
      meant && meant.length <= MAX_SHOWN
        ? `Use ${quote(meant)}.`
        : 'A pattern looks like "https://www.example.com/*".';
    super(`Invalid referrer pattern ${quote(text)}: ${PROBLEMS[reason]} (${place}). ${fix}`);
    this.reason = reason;
    this.index = index;
  }
}
