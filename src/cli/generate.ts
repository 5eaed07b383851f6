import { TARGET_FIELD_NAMES, TARGET_FIELDS } from "../core/client/target.ts";
import { ComplyCube, type ComplyCubeApiError, ComplyCubeError, type TokenTarget } from "../index.ts";
import { optionOf, readArguments, refuseKeyArgument } from "./arguments.ts";
import { generateBatch } from "./batch.ts";
import { readApiKey } from "./input.ts";
import { DONE, describeFailure, err, FAILED, out } from "./output.ts";

/** An option for each field of a target, from the one table of them. */
const FIELDS = new Map(Object.values(TARGET_FIELDS).flatMap((fields) => Object.entries<Field>(fields)));
type Field = { type: "string" | "number"; what: string };

const HELP = `Mints the token with which one client starts one session of a ComplyCube SDK, or one for each line of a file.

Usage:
  complycube-tokens generate CLIENT_ID --referrer PATTERN [--json]   for the Web SDK
  complycube-tokens generate CLIENT_ID --app-id ID [--json]          for a Mobile SDK
  complycube-tokens generate --batch FILE.jsonl                      for each line; - reads stdin
  complycube-tokens generate --batch FILE.jsonl --resume RESULTS.jsonl   for each line without a token yet

Options:
${fieldsHelp()}
  --allow-referrer-path  Accept a pattern with a path, which works in Chrome alone, on pages with unsafe-url
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
  const { positionals, values } = readArguments(args, {
    ...Object.fromEntries(TARGET_FIELD_NAMES.map((name) => [optionOf(name), { type: "string" as const }])),
    "allow-referrer-path": { type: "boolean" },
    json: { type: "boolean" },
    batch: { type: "string" },
    resume: { type: "string" },
    "api-key-file": { type: "string" },
    help: { type: "boolean", short: "h" },
  });
  if (values.help) {
    out(HELP);
    return DONE;
  }
  const { batch, resume, json = false, "api-key-file": keyFile } = values;
  const allowReferrerPath = values["allow-referrer-path"] ?? false;
  const target = readTarget(values);
  if (batch === undefined) {
    if (resume !== undefined) {
      throw new TypeError("--resume goes with --batch, which names the file of rows.");
    }
    const clientId = checkNothingIsMissing(positionals, target);
    const complycube = new ComplyCube({ apiKey: await readApiKey(keyFile), allowReferrerPath });
    return generateOne(complycube, clientId, target as unknown as TokenTarget, json);
  }
  if (positionals.length > 0 || Object.keys(target).length > 0 || json) {
    throw new TypeError("A batch takes clients and targets from its file alone.");
  }
  if (batch === "-" && resume === "-") throw new TypeError("--batch and --resume cannot both read stdin.");
  return generateBatch(await readApiKey(keyFile), { file: batch, resume, allowReferrerPath });
}

function readTarget(values: Record<string, string | boolean | undefined>): Record<string, unknown> {
  const target: Record<string, unknown> = {};
  for (const [name, { type }] of FIELDS) {
    const given = values[optionOf(name)];
    if (given !== undefined) target[name] = type === "number" ? Number(given) : given;
  }
  return target;
}

/** Returns the client ID, once everything that has to be given is. */
function checkNothingIsMissing([clientId, ...more]: string[], target: object): string {
  if (clientId === undefined) {
    throw new TypeError("CLIENT_ID is missing: name the client, or a file of many with --batch.");
  }
  if (more.length > 0) {
    throw new TypeError("generate takes one CLIENT_ID. Quote the pattern: the shell expands its *.");
  }
  const bindings = Object.keys(TARGET_FIELDS).filter((name) => Object.hasOwn(target, name));
  if (bindings.length === 0) {
    throw new TypeError("--referrer, for the Web SDK, or --app-id, for a Mobile SDK, is missing.");
  }
  if (bindings.length > 1) {
    throw new TypeError("A token is for the Web SDK or a Mobile SDK: give either --referrer or --app-id.");
  }
  return clientId;
}

async function generateOne(
  complycube: ComplyCube,
  clientId: string,
  target: TokenTarget,
  json: boolean,
): Promise<number> {
  try {
    const token = await complycube.token.generate(clientId, target);
    out(json ? `${JSON.stringify({ token })}\n` : `${token}\n`);
    return DONE;
  } catch (error) {
    if (!(error instanceof ComplyCubeError)) throw error;
    const hint = HINTS[error.name]?.(error as ComplyCubeApiError) ?? "";
    err(`${describeFailure(error as ComplyCubeApiError)} ${hint}\n`);
    return FAILED;
  }
}

/** What to do about a failure, by the error's name. */
const HINTS: Record<string, ((error: ComplyCubeApiError) => string) | undefined> = {
  InvalidRequestError: ({ param = "" }) => {
    if (FIELDS.has(param)) return `Check --${optionOf(param)}.`;
    return param === "clientId" ? "Check CLIENT_ID." : "Check CLIENT_ID and what the token is bound to.";
  },
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

function fieldsHelp(): string {
  const lines = [...FIELDS].map(([name, { what }]) => {
    const option = `--${optionOf(name)} VALUE`;
    return `  ${option.padEnd(22)} ${what.charAt(0).toUpperCase()}${what.slice(1)}`;
  });
  return lines.join("\n");
}
