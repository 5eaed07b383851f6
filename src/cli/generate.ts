import { parseArgs } from "node:util";
import { ComplyCube, type ComplyCubeApiError, ComplyCubeError, type TokenTarget } from "../index.ts";
import { refuseKeyArgument, refuseRepeats } from "./arguments.ts";
import { generateBatch } from "./batch.ts";
import { readApiKey } from "./input.ts";
import { DONE, err, FAILED, out, paint, sentence } from "./output.ts";
import { inOurWords } from "./wording.ts";

const HELP = `Mints the token with which one client starts one session of a ComplyCube SDK, or one for each line of a file.

Usage:
  complycube-tokens generate CLIENT_ID --referrer PATTERN [--json]   for the Web SDK
  complycube-tokens generate CLIENT_ID --app-id ID [--json]          for a Mobile SDK
  complycube-tokens generate --batch FILE.jsonl                      for each line; - reads stdin
  complycube-tokens generate --batch FILE.jsonl --resume RESULTS.jsonl   for each line without a token yet

Options:
  --referrer PATTERN     The match pattern of your pages, such as 'https://www.example.com/*'; quote it
  --allow-referrer-path  Accept a pattern with a path, which works in Chrome alone, on pages with unsafe-url
  --app-id ID            The iOS bundle ID or Android application ID
  --json                 Print {"token": "..."} instead of the bare token
  --batch FILE           JSON Lines of {"clientId", "referrer"} or {"clientId", "appId"}; other fields come back
  --resume FILE          The results of this batch so far: only rows without a token are minted, failed or never tried
  --api-key-file FILE    A file that holds the API key and nothing else; it wins over COMPLYCUBE_API_KEY
  -h, --help             Show this

The API key is never taken from an argument: the shell's history and the list of processes would keep it.

A batch writes a result line for every line as it settles, in any order: the line's own text with its number in "line"
and "token" or "error" added. A row has no fields of these names. It keeps to the rate limit of the key. Ctrl-C stops
it; what is done is written by then, and --resume goes on. Files are UTF-8; a line is at most 1 MiB.

Environment:
  COMPLYCUBE_API_KEY      The API key, unless --api-key-file names a file
  COMPLYCUBE_BASE_URL     Another server, such as a mock on localhost
  NO_COLOR, FORCE_COLOR   No colour, or colour in a pipe too

Exit codes:
  0    every token was minted
  1    the API or the network failed, or a line was wrong
  2    an argument, the key or a file is wrong; nothing was sent
  130  a batch was stopped by Ctrl-C, or by a reader of its output that left

Examples:
  complycube-tokens generate CLIENT_ID --referrer 'https://www.example.com/*'
  complycube-tokens generate CLIENT_ID --app-id com.example.app --api-key-file /run/secrets/complycube
  complycube-tokens generate --batch clients.jsonl > results.jsonl
  complycube-tokens generate --batch clients.jsonl --resume results.jsonl >> results.jsonl
`;

/** Runs `generate` and returns its exit code. */
export async function generate(args: string[]): Promise<number> {
  refuseKeyArgument(args);
  const { positionals, values, tokens } = parseArgs({
    args,
    allowPositionals: true,
    tokens: true,
    options: {
      referrer: { type: "string" },
      "allow-referrer-path": { type: "boolean" },
      "app-id": { type: "string" },
      json: { type: "boolean" },
      batch: { type: "string" },
      resume: { type: "string" },
      "api-key-file": { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    out(HELP);
    return DONE;
  }
  refuseRepeats(tokens);
  const { referrer, "app-id": appId, batch, resume } = values;
  const keyFile = values["api-key-file"];
  const allowReferrerPath = values["allow-referrer-path"] ?? false;
  if (batch === undefined) {
    if (resume !== undefined)
      throw new TypeError("--resume goes with --batch, which names the file of rows.");
    const target = { referrer, appId, allowReferrerPath };
    return generateOne(positionals, target, values.json ?? false, keyFile);
  }
  if (positionals.length > 0 || referrer !== undefined || appId !== undefined || values.json) {
    throw new TypeError("A batch takes clients and targets from its file alone.");
  }
  if (batch === "-" && resume === "-") throw new TypeError("--batch and --resume cannot both read stdin.");
  return generateBatch(await readApiKey(keyFile), { file: batch, resume, allowReferrerPath });
}

interface Target {
  referrer: string | undefined;
  appId: string | undefined;
  allowReferrerPath: boolean;
}

async function generateOne(
  positionals: string[],
  { referrer, appId, allowReferrerPath }: Target,
  json: boolean,
  keyFile: string | undefined,
): Promise<number> {
  const [clientId, ...more] = positionals;
  if (clientId === undefined || more.length > 0) {
    throw new TypeError("generate takes one client ID. Quote the pattern: the shell expands its *.");
  }
  if ((referrer === undefined) === (appId === undefined)) {
    throw new TypeError("generate takes either --referrer, for the Web SDK, or --app-id, for a Mobile SDK.");
  }
  const target = (referrer === undefined ? { appId } : { referrer }) as TokenTarget;
  const complycube = new ComplyCube({ apiKey: await readApiKey(keyFile) });
  try {
    const token = await complycube.token.generate(clientId, target, { allowReferrerPath });
    out(json ? `${JSON.stringify({ token })}\n` : `${token}\n`);
    return DONE;
  } catch (error) {
    if (!(error instanceof ComplyCubeError)) throw error;
    err(`${describeFailure(error as ComplyCubeApiError)}\n`);
    return FAILED;
  }
}

const ARGUMENTS: Record<string, string | undefined> = {
  clientId: "CLIENT_ID",
  referrer: "--referrer",
  appId: "--app-id",
};

/** What to do about a failure, by the error's name. */
const HINTS: Record<string, ((error: ComplyCubeApiError) => string) | undefined> = {
  InvalidRequestError: ({ param = "" }) =>
    `Check ${ARGUMENTS[param] ?? "CLIENT_ID and what the token is bound to"}.`,
  AuthenticationError: () => "Check the key in COMPLYCUBE_API_KEY, or in the file of --api-key-file.",
  PermissionDeniedError: () => "This key may not mint tokens: take another.",
  RateLimitError: () => "Wait a little; for many tokens, use --batch.",
  ConnectionError: () => "Check the network, and COMPLYCUBE_BASE_URL where it is set.",
  TimeoutError: () => "Check the network, and try again.",
  InvalidResponseError: () =>
    "Something other than the API may have answered: check COMPLYCUBE_BASE_URL and any proxy.",
  ComplyCubeApiError: ({ status }) =>
    status >= 500
      ? "Try again later."
      : "Check COMPLYCUBE_BASE_URL where it is set, and your ComplyCube account.",
};

/** One line: what failed, after how many attempts, in which request, and what to do. */
function describeFailure(error: ComplyCubeApiError): string {
  const { name, message, attempts, requestId } = error;
  const details: string[] = [];
  if (attempts > 1) details.push(`${attempts} attempts`);
  if (requestId !== undefined) details.push(`request ID ${requestId}`);
  const said = inOurWords(message).replace(/\.\s*$/, "");
  return [
    `${paint("red", name, process.stderr)}:`,
    sentence(details.length === 0 ? said : `${said} (${details.join(", ")})`),
    HINTS[name]?.(error) ?? "",
  ].join(" ");
}
