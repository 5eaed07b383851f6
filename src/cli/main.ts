#!/usr/bin/env node
import packageJson from "../../package.json" with { type: "json" };
import { describeMisuse } from "./arguments.ts";
import { checkReferrer } from "./check-referrer.ts";
import { generate } from "./generate.ts";
import { inspect } from "./inspect.ts";
import { DONE, err, FAILED, MISUSE, out, sentence } from "./output.ts";

const HELP = `complycube-tokens ${packageJson.version}: mints and checks the tokens that start ComplyCube's Web and Mobile SDKs.

Usage:
  complycube-tokens generate CLIENT_ID --referrer PATTERN | --app-id ID [--json]
  complycube-tokens generate --batch FILE.jsonl [--resume RESULTS.jsonl]
  complycube-tokens check-referrer PATTERN PAGE_URL [--referrer-policy POLICY]
  complycube-tokens inspect TOKEN | -

Commands:
  generate         Mints a token, or one for each line of a file
  check-referrer   Shows whether a token works on a page, before your users find out
  inspect          Shows when a token expires, and its claims

Options:
  -h, --help   Show this; after a command, its own help with examples
  --version    Show the version

Environment:
  COMPLYCUBE_API_KEY      The API key, for generate; --api-key-file FILE wins over it
  COMPLYCUBE_BASE_URL     Another server, such as a mock on localhost
  NO_COLOR, FORCE_COLOR   No colour, or colour in a pipe too

The result alone goes to stdout, everything else to stderr.

Exit codes:
  0    done
  1    the API or the network failed, or the answer to a check is no
  2    an argument, a setting or a file is wrong; nothing was sent
  130  stopped by Ctrl-C
`;

const COMMANDS: Record<string, ((args: string[]) => number | Promise<number>) | undefined> = {
  __proto__: null as never,
  generate,
  "check-referrer": checkReferrer,
  inspect,
};

/** Runs one command and returns its exit code. */
async function run([command, ...rest]: string[]): Promise<number> {
  const known = command === undefined ? undefined : COMMANDS[command];
  try {
    if (known !== undefined) return await known(rest);
    if (command === "--version") out(`${packageJson.version}\n`);
    else if (command === "--help" || command === "-h" || command === "help") out(HELP);
    else throw new TypeError(unknownCommand(command));
    return DONE;
  } catch (error) {
    // A file that failed while it was read.
    if (error instanceof Error && "syscall" in error) {
      err(`${sentence(error.message)}\n`);
      return FAILED;
    }
    // A permission is missing on Deno, and its message names it.
    if (error instanceof Error && error.name === "NotCapable") {
      err(`${sentence(error.message)}\n`);
      return MISUSE;
    }
    // Any other error is a bug of this program, so its stack is shown.
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    const help = known === undefined ? "complycube-tokens --help" : `complycube-tokens ${command} --help`;
    err(`${sentence(describeMisuse(error))} Try: ${help}\n`);
    return MISUSE;
  }
}

function unknownCommand(command: string | undefined): string {
  const commands = `The commands: ${Object.keys(COMMANDS).join(", ")}.`;
  if (command === undefined) return `No command was given. ${commands}`;
  // Shown only if it looks like a command: it may be a secret in the wrong place.
  const name = /^-{0,2}[a-z-]{1,20}$/i.test(command) ? ` ${command}` : "";
  return `There is no command${name}. ${commands}`;
}

process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  if (code === "EPIPE") return; // `| head` has read enough.
  err(`Cannot write the result: ${code}.\n`);
  process.exitCode = FAILED;
});
process.stderr.on("error", () => {}); // There is nowhere left to report it.
const code = await run(process.argv.slice(2));
process.exitCode ??= code;
