import { parseArgs } from "node:util";
import { ComplyCube, ComplyCubeError, type TokenTarget } from "../index.ts";
import { generateBatch } from "./batch.ts";
import { DONE, err, FAILED, out } from "./terminal.ts";

const HELP = `Mints the token with which one client starts one session of a ComplyCube SDK, or one for each line of a file.

Usage:
  complycube-tokens generate CLIENT_ID --referrer PATTERN [--json]   for the Web SDK
  complycube-tokens generate CLIENT_ID --app-id ID [--json]          for a Mobile SDK
  complycube-tokens generate --batch FILE.jsonl                      for each line; - reads stdin
  complycube-tokens generate --retry-failed RESULTS.jsonl            for each line that failed before

Options:
  --referrer PATTERN     The match pattern of your pages, such as 'https://www.example.com/*'
  --app-id ID            The iOS bundle ID or Android application ID
  --json                 Print {"token": "..."} instead of the bare token
  --batch FILE           JSON Lines of {"clientId", "referrer"} or {"clientId", "appId"}; other fields come back
  --retry-failed FILE    The result lines of an earlier batch; those with an "error" are minted again

A batch writes a result line for every line as it settles, in any order: the line itself with its number in "line" and
"token" or "error" added. It keeps to the rate limit of the key. Ctrl-C stops it; what is done is written by then.

Environment:
  COMPLYCUBE_API_KEY     The API key (required)
  COMPLYCUBE_BASE_URL    Another server, such as a mock on localhost

Exit codes:
  0    every token was minted
  1    the API or the network failed, or a line was wrong
  2    an argument is wrong
  130  stopped by Ctrl-C

Examples:
  complycube-tokens generate CLIENT_ID --referrer 'https://www.example.com/*'
  complycube-tokens generate --batch clients.jsonl > results.jsonl
  complycube-tokens generate --retry-failed results.jsonl > more-results.jsonl
`;

/** Runs `generate` and returns its exit code. */
export async function generate(args: string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      referrer: { type: "string" },
      "app-id": { type: "string" },
      json: { type: "boolean" },
      batch: { type: "string" },
      "retry-failed": { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    out(HELP);
    return DONE;
  }
  const { referrer, "app-id": appId, batch, "retry-failed": retryFailed } = values;
  const file = batch ?? retryFailed;
  if (file === undefined) return generateOne(positionals, { referrer, appId }, values.json ?? false);
  if (batch !== undefined && retryFailed !== undefined) {
    throw new TypeError("--batch and --retry-failed are two ways to start a batch: give one of them.");
  }
  if (positionals.length > 0 || referrer !== undefined || appId !== undefined || values.json) {
    throw new TypeError("A batch takes clients and targets from its file, and nothing else.");
  }
  return generateBatch(new ComplyCube(), file, { onlyFailed: retryFailed !== undefined });
}

interface Target {
  referrer: string | undefined;
  appId: string | undefined;
}

async function generateOne(
  positionals: string[],
  { referrer, appId }: Target,
  json: boolean,
): Promise<number> {
  const [clientId, ...more] = positionals;
  if (clientId === undefined || more.length > 0) {
    throw new TypeError("generate takes one client ID. Quote the pattern: the shell expands its *.");
  }
  if ((referrer === undefined) === (appId === undefined)) {
    throw new TypeError("generate takes either --referrer, for the Web SDK, or --app-id, for a Mobile SDK.");
  }
  const target = (referrer === undefined ? { appId } : { referrer }) as TokenTarget;
  try {
    const token = await new ComplyCube().token.generate(clientId, target);
    out(json ? `${JSON.stringify({ token })}\n` : `${token}\n`);
    return DONE;
  } catch (error) {
    if (!(error instanceof ComplyCubeError)) throw error;
    err(`${error.name}: ${error.message.replaceAll("\n", " ")}\n`);
    return FAILED;
  }
}
