import { parseArgs } from "node:util";
import { parse as parseDomain } from "tldts";
import {
  explainReferrer,
  type PagePolicy,
  parseReferrerPattern,
  type ReferrerPattern,
} from "../referrer/index.ts";
import { DONE, FAILED, out } from "./terminal.ts";

const HELP = `Tells what Referer a page will send to ComplyCube, and whether a token's referrer pattern matches it.

Usage:
  complycube-tokens check-referrer PATTERN PAGE_URL [--referrer-policy POLICY]

Options:
  --referrer-policy POLICY   The page's Referrer-Policy (default: strict-origin-when-cross-origin)

Exit codes:
  0  the pattern matches, and not every site does
  1  it does not match, or any site does
  2  an argument is wrong

Examples:
  complycube-tokens check-referrer 'https://www.example.com/*' https://www.example.com/verify
  complycube-tokens check-referrer 'https://*.example.com/*' https://app.example.com/ --referrer-policy no-referrer
`;

/** Runs `check-referrer` and returns its exit code. */
export function checkReferrer(args: string[]): number {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { "referrer-policy": { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) {
    out(HELP);
    return DONE;
  }
  const [pattern, pageUrl, ...more] = positionals;
  if (pattern === undefined || pageUrl === undefined || more.length > 0) {
    throw new TypeError(
      "check-referrer takes a pattern and a page's URL. Quote the pattern: the shell expands its *.",
    );
  }
  const parsed = parseReferrerPattern(pattern);
  // explainReferrer refuses what is not a policy, by name.
  const referrerPolicy = values["referrer-policy"] as PagePolicy | undefined;
  const { matches, sent, reason, advice } = explainReferrer({ pattern: parsed, pageUrl, referrerPolicy });
  const suffix = publicSuffixOf(parsed);
  const safe = matches && reason !== "any-site" && suffix === undefined;

  out(`Pattern  ${pattern}\n`);
  out(`Page     ${pageUrl}\n`);
  out(`Sent     ${sent ?? "no Referer"}\n`);
  out(
    `Result   ${matches ? "matches" : "does not match"}${safe ? "" : ` (${suffix ? "public-suffix" : reason})`}\n`,
  );
  out(
    suffix === undefined
      ? `${advice}\n`
      : `Anyone can have a site under ${suffix}, so a token that leaks works on theirs: name your own host, as in https://example.${suffix}/*.\n`,
  );
  return safe ? DONE : FAILED;
}

/** The public suffix, such as `co.uk` or `vercel.app`, where a pattern covers all of it. */
function publicSuffixOf({ scope, host }: ReferrerPattern): string | undefined {
  if (scope !== "site") return undefined;
  const { publicSuffix, domain, isIcann, isPrivate } = parseDomain(host.slice(2), {
    allowPrivateDomains: true,
  });
  return domain === null && (isIcann || isPrivate) ? (publicSuffix ?? undefined) : undefined;
}
