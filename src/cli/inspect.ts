import { text } from "node:stream/consumers";
import { inspectToken } from "../index.ts";
import { readArguments } from "./arguments.ts";
import { DONE, err, out, paint, printable } from "./output.ts";

const HELP = `Shows what is written in a token: when it expires, when it was minted, and its claims, as JSON.
Nothing is sent and nothing is verified: anyone can write a token that says the same.

Usage:
  complycube-tokens inspect -        reads the token from stdin
  complycube-tokens inspect TOKEN    leaves it in your shell's history; - avoids that

On stderr it says how long the token still works. Times are in UTC; a time that is not in the token is left out.

Options:
  -h, --help   Show this

Exit codes:
  0  the token was read, whether it has expired or not
  2  it is not a JSON Web Token, or an argument is wrong

Environment:
  NO_COLOR, FORCE_COLOR   No colour, or colour in a pipe too

Examples:
  complycube-tokens generate CLIENT_ID --app-id com.example.app | complycube-tokens inspect -
  complycube-tokens inspect - < token.txt | jq -r .expiresAt
`;

/** Runs `inspect` and returns its exit code. */
export async function inspect(args: string[]): Promise<number> {
  const { positionals, values } = readArguments(args, { help: { type: "boolean", short: "h" } });
  if (values.help) {
    out(HELP);
    return DONE;
  }
  const [given, ...more] = positionals;
  if (given === undefined || more.length > 0) {
    throw new TypeError("inspect takes one token, or - to read it from stdin.");
  }
  const { expiresAt, issuedAt, claims } = inspectToken(given === "-" ? await readToken() : given);
  // Line by line, because the layout's own line breaks must stay.
  const json = JSON.stringify({ expiresAt, issuedAt, claims }, null, 2).replace(/[^\n]+/g, printable);
  out(`${json}\n`);
  err(`${lifeOf(expiresAt)} Its signature was not checked.\n`);
  return DONE;
}

async function readToken(): Promise<string> {
  if (process.stdin.isTTY) err("Paste the token, then press Enter and Ctrl-D.\n");
  const token = (await text(process.stdin)).trim();
  if (token === "") throw new TypeError("Nothing came on stdin.");
  return token;
}

/** Each unit, its length in milliseconds, and the shortest time that is shown in it. */
const UNITS = [
  ["day", 86_400_000, 2 * 86_400_000],
  ["hour", 3_600_000, 2 * 3_600_000],
  ["minute", 60_000, 60_000],
  ["second", 1_000, 0],
] as const;

function lifeOf(expiresAt: Date | undefined): string {
  if (expiresAt === undefined) return "The token does not say when it expires.";
  const left = expiresAt.getTime() - Date.now();
  const [unit, ms] = UNITS.find(([, , from]) => Math.abs(left) >= from) ?? UNITS[3];
  const when = new Intl.RelativeTimeFormat("en").format(Math.trunc(left / ms), unit);
  return left > 0
    ? paint("green", `The token expires ${when}.`, process.stderr)
    : paint("red", `The token expired ${when}.`, process.stderr);
}
