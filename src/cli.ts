#!/usr/bin/env node
import { parseArgs } from "node:util";
import { parse as parseDomain } from "tldts";
import packageJson from "../package.json" with { type: "json" };
import {
  explainReferrer,
  type PagePolicy,
  parseReferrerPattern,
  type ReferrerPattern,
} from "./referrer/index.ts";

const DONE = 0;
const FAILED = 1;
const MISUSE = 2;

const HELP = `complycube-tokens ${packageJson.version}

Usage:
  complycube-tokens check-referrer PATTERN PAGE_URL [--referrer-policy POLICY]

Options:
  --help      Show this, or a command's own help
  --version   Show the version
`;

const CHECK_REFERRER_HELP = `Tells what Referer a page will send to ComplyCube, and whether a token's referrer pattern matches it.

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

/** Runs one command and returns its exit code. The result alone goes to stdout. */
function run(args: string[]): number {
  const [command, ...rest] = args;
  try {
    if (command === "check-referrer") return checkReferrer(rest);
    if (command === "--version") out(`${packageJson.version}\n`);
    else if (command === "--help" || command === "-h" || command === "help") out(HELP);
    else
      throw new TypeError(
        command === undefined ? "No command given." : `There is no command ${JSON.stringify(command)}.`,
      );
    return DONE;
  } catch (error) {
    // Misuse only: everything that a command can throw is a TypeError about its arguments.
    if (!(error instanceof TypeError)) throw error;
    const help =
      command === "check-referrer" ? "complycube-tokens check-referrer --help" : "complycube-tokens --help";
    process.stderr.write(`${error.message.replaceAll("\n", " ")} Try: ${help}\n`);
    return MISUSE;
  }
}

function checkReferrer(args: string[]): number {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { "referrer-policy": { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) {
    out(CHECK_REFERRER_HELP);
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

function out(text: string): void {
  process.stdout.write(text);
}

process.exitCode = run(process.argv.slice(2));
