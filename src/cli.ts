#!/usr/bin/env node
import packageJson from "../package.json" with { type: "json" };
import { checkReferrer } from "./cli/check-referrer.ts";
import { generate } from "./cli/generate.ts";
import { DONE, err, MISUSE, out } from "./cli/terminal.ts";

const HELP = `complycube-tokens ${packageJson.version}

Usage:
  complycube-tokens generate CLIENT_ID --referrer PATTERN | --app-id ID [--json]
  complycube-tokens generate --batch FILE.jsonl | --retry-failed RESULTS.jsonl
  complycube-tokens check-referrer PATTERN PAGE_URL [--referrer-policy POLICY]

Options:
  --help      Show this, or a command's own help
  --version   Show the version

The API key comes from the environment variable COMPLYCUBE_API_KEY.
`;

const COMMANDS: Record<string, ((args: string[]) => number | Promise<number>) | undefined> = {
  __proto__: null as never,
  "check-referrer": checkReferrer,
  generate,
};

/** Runs one command and returns its exit code. The result alone goes to stdout. */
async function run(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  const known = command === undefined ? undefined : COMMANDS[command];
  try {
    if (known !== undefined) return await known(rest);
    if (command === "--version") out(`${packageJson.version}\n`);
    else if (command === "--help" || command === "-h" || command === "help") out(HELP);
    else
      throw new TypeError(
        command === undefined ? "No command given." : `There is no command ${JSON.stringify(command)}.`,
      );
    return DONE;
  } catch (error) {
    // Misuse only: every other failure is a command's own exit code.
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    const help = known === undefined ? "complycube-tokens --help" : `complycube-tokens ${command} --help`;
    err(`${error.message.replaceAll("\n", " ").replace(/[^.!?]$/, "$&.")} Try: ${help}\n`);
    return MISUSE;
  }
}

// `| head` has read enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});
process.exitCode = await run(process.argv.slice(2));
