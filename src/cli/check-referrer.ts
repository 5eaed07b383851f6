import { parse as parseDomain } from "tldts";
import {
  explainReferrer,
  isReferrerPattern,
  type PagePolicy,
  parseReferrerPattern,
  type ReferrerPattern,
} from "../referrer/index.ts";
import { readArguments } from "./arguments.ts";
import { DONE, FAILED, out, paint, printable } from "./output.ts";

const HELP = `Shows what Referer a page sends to ComplyCube, and whether a token's referrer pattern matches it in every browser.

Usage:
  complycube-tokens check-referrer PATTERN PAGE_URL [--referrer-policy POLICY]

The policy is that of the page's own Referrer-Policy header or <meta name="referrer">. A page in another
site's iframe must set one: Safari otherwise uses that of the embedding page. Nothing is sent anywhere.

Options:
  --referrer-policy POLICY   The page's Referrer-Policy, in upper or lower case: no-referrer,
                             no-referrer-when-downgrade, origin, origin-when-cross-origin, same-origin, strict-origin,
                             strict-origin-when-cross-origin or unsafe-url
                             (default: strict-origin-when-cross-origin, as in every browser)
  -h, --help                 Show this

Exit codes:
  0  the pattern matches this page in Chrome, Firefox and Safari, and no stranger's page
  1  it does not match in all of them, or it matches strangers' pages too
  2  an argument is wrong

Environment:
  NO_COLOR, FORCE_COLOR   No colour, or colour in a pipe too

Examples:
  complycube-tokens check-referrer 'https://www.example.com/*' https://www.example.com/verify
  complycube-tokens check-referrer 'https://*.example.com/*' https://app.example.com/ --referrer-policy no-referrer
`;

/** Runs `check-referrer` and returns its exit code. */
export function checkReferrer(args: string[]): number {
  const { positionals, values } = readArguments(args, {
    "referrer-policy": { type: "string" },
    help: { type: "boolean", short: "h" },
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
  if (isReferrerPattern(pageUrl) && /[*<]/.test(pageUrl) && !/[*<]/.test(pattern)) {
    throw new TypeError("PATTERN comes first, and then PAGE_URL: they look swapped.");
  }
  const parsed = parseReferrerPattern(pattern);
  // explainReferrer throws for an unknown policy, and lists the known ones.
  const referrerPolicy = values["referrer-policy"]?.toLowerCase() as PagePolicy | undefined;
  const { matches, sent, reason, advice } = explainReferrer({ pattern: parsed, pageUrl, referrerPolicy });
  const suffix = publicSuffixOf(parsed);
  const problems: string[] = reason === "match" ? [] : [reason];
  if (suffix !== undefined) problems.push("public-suffix");
  const safe = problems.length === 0;
  const verdict = `${matches ? "matches" : "does not match"}${safe ? "" : ` (${problems.join(", ")})`}`;

  out(`Pattern  ${printable(pattern)}\n`);
  out(`Page     ${printable(pageUrl)}\n`);
  out(`Sent     ${sent ?? (reason === "not-a-web-page" ? "it depends on the browser" : "no Referer")}\n`);
  out(`Result   ${paint(safe ? "green" : "red", verdict, process.stdout)}\n`);
  out(`${printable(advice)}\n`);
  if (suffix !== undefined) {
    out(
      `Anyone can have a site under ${suffix}, so a token that leaks works on theirs: name your own host, as in https://example.${suffix}/*.\n`,
    );
  }
  return safe ? DONE : FAILED;
}

/** Returns the public suffix, such as `co.uk` or `vercel.app`, if a pattern covers all of it. */
function publicSuffixOf({ scope, host }: ReferrerPattern): string | undefined {
  if (scope !== "site") return undefined;
  const { publicSuffix, domain, isIcann, isPrivate } = parseDomain(host.slice(2), {
    allowPrivateDomains: true,
  });
  return domain === null && (isIcann || isPrivate) ? (publicSuffix ?? undefined) : undefined;
}
