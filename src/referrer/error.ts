import type { ReferrerPatternErrorReason } from "./grammar.ts";
import { proposePattern } from "./proposal.ts";

const PROBLEMS: Record<ReferrerPatternErrorReason, string> = {
  "not-a-string": "it is not a string; is an environment variable missing?",
  quotes: "it is in quotes",
  "several-patterns": "a token takes one pattern",
  whitespace: "it holds a space or invisible character",
  "missing-scheme-separator": 'there is no "://"',
  "scheme-not-allowed": 'the scheme must be "https", "http" or "*"',
  "empty-host": "the host is empty",
  "host-wildcard": '"*" must be the whole host or a leading "*."',
  "invalid-host": "the host is invalid",
  "invalid-ipv6": "an IPv6 address goes in brackets",
  "invalid-port": 'the port must be one number up to 65535, after "https" or "http"',
  "missing-path": 'there is no path, such as "/*"',
  "unmatchable-path": "no Referer holds this character",
  "path-not-sent": "browsers send a page's origin, and only Chrome can send a path",
};

const MAX_SHOWN = 120;
const API_KEYS = /(live|test)_[\w-]{8,}/g;

/** Quotes text for a message. API keys are blotted out before it is cut, so that the cut leaves no part of one. */
export function quote(text: string): string {
  const shown = text.replace(API_KEYS, "$1_…");
  return JSON.stringify(shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown);
}

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
   * `hint` follows the proposal, after a space of its own.
   *
   * @internal
   */
  constructor(text: string, reason: ReferrerPatternErrorReason, index: number, hint = "") {
    const place = index < text.length ? `at index ${index}, ${quote(text.slice(index))}` : "at its end";
    const proposal = proposePattern(text);
    const fix =
      proposal !== undefined && proposal.length <= MAX_SHOWN
        ? `Use ${quote(proposal)}.`
        : 'A pattern looks like "https://www.example.com/*".';
    super(`Invalid referrer pattern ${quote(text)}: ${PROBLEMS[reason]} (${place}). ${fix}${hint}`);
    this.reason = reason;
    this.index = index;
  }
}
