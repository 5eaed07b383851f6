import { type ParseArgsConfig, parseArgs } from "node:util";

type Options = NonNullable<ParseArgsConfig["options"]>;

/**
 * Reads the arguments of a command.
 *
 * @throws TypeError that says what is wrong with them, without showing what may be a secret in the wrong place
 */
export function readArguments<O extends Options>(args: string[], options: O) {
  const { tokens } = parseArgs({ args, options, allowPositionals: true, strict: false, tokens: true });
  const given = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    const type = options[name]?.type;
    if (type === undefined) throw unknownOption(rawName, Object.keys(options));
    if (given.has(name)) throw new TypeError(`--${name} is given twice.`);
    given.add(name);
    if (type === "boolean" && value !== undefined) throw new TypeError(`--${name} takes no value.`);
    if (type === "boolean") continue;
    if (value === undefined) throw new TypeError(`--${name} needs a value.`);
    if (/^-./.test(value) && !inlineValue) {
      throw new TypeError(
        `--${name} needs a value; one that starts with a dash is written --${name}=-VALUE.`,
      );
    }
  }
  return parseArgs({ args, options, allowPositionals: true });
}

/**
 * Refuses a key that is given as an argument, and says where to put it instead.
 *
 * @throws TypeError for `--api-key` and the like
 */
export function refuseKeyArgument(args: readonly string[]): void {
  if (!args.some((arg) => /^--?(api[-_]?)?key(=|$)/i.test(arg))) return;
  throw new TypeError(
    "An API key is not taken from an argument, which stays in the shell's history and shows in the list of processes: " +
      "set COMPLYCUBE_API_KEY, or name a file that holds it with --api-key-file.",
  );
}

/** The option for a field of a target: `--app-id` for `appId`. */
export function optionOf(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The command line's name for each argument of the library, and its own advice about a wrong one. */
const ARGUMENTS: Record<string, { name: string; advice?: string } | undefined> = {
  apiKey: { name: "The API key", advice: "Copy it again." },
  baseUrl: {
    name: "COMPLYCUBE_BASE_URL",
    advice:
      "It looks like https://gateway.example.com; http:// is for localhost, and for a mock elsewhere with COMPLYCUBE_DANGEROUSLY_ALLOW_PLAIN_HTTP=true.",
  },
  clientId: {
    name: "CLIENT_ID",
    advice:
      "It is the ID of the client; the key goes into COMPLYCUBE_API_KEY, or the file of --api-key-file.",
  },
  referrer: {
    name: "--referrer",
    advice:
      "Give the match pattern of your own pages, such as 'https://www.example.com/*'; for an app, give --app-id.",
  },
  appId: {
    name: "--app-id",
    advice: "Give a bundle ID or application ID, such as com.example.app; for a web page, give --referrer.",
  },
  pageUrl: { name: "PAGE_URL" },
  token: { name: "This" },
};

/** Words the library's error about a wrong argument for the command line. */
export function describeMisuse(error: Error): string {
  const { argument, problem } = error as { argument?: string; problem?: string };
  if (argument === undefined || problem === undefined) return describePattern(error);
  const { name = `--${optionOf(argument)}`, advice } = ARGUMENTS[argument] ?? {};
  return advice === undefined ? `${name} ${problem}.` : `${name} ${problem}. ${advice}`;
}

/** Words the library's error about a wrong row for a file of rows. */
export function describeRowMisuse(error: Error): string {
  const { argument, problem } = error as { argument?: string; problem?: string };
  if (argument === undefined || problem === undefined) return describePattern(error);
  return `${argument === "target" ? "The row" : argument} ${problem}.`;
}

/** Returns the message of an error that is no `Misuse`, with advice about code replaced by the command line's option. */
function describePattern(error: Error): string {
  const { message, advice } = error as Error & { advice?: string };
  if (advice === undefined) return message;
  return `${message.slice(0, -advice.length)}If all your users have Chrome and your pages set Referrer-Policy: unsafe-url, give --allow-referrer-path.`;
}

function unknownOption(given: string, known: string[]): TypeError {
  const plain = (name: string) => name.toLowerCase().replace(/[-_]/g, "");
  const near = known.find((name) => distance(plain(name), plain(given)) <= 1);
  const hint = near === undefined ? "" : ` Did you mean --${near}?`;
  // Shown only if it looks like an option: it may be a secret in the wrong place.
  const what = /^--?[A-Za-z-]{1,30}$/.test(given) ? `option ${given}` : "such option";
  return new TypeError(`There is no ${what}.${hint}`);
}

/** Returns how many letters must be added, removed or changed to turn one word into the other. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (let j = 0; j < other.length; j++) {
      const changed = (row[j] ?? 0) + (letter === other[j] ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
