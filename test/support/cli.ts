import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { expect, vi } from "vitest";
import { root } from "../../scripts/root.ts";
import { leaks } from "./leak-scan.ts";

/** No prefix that has a limit, so that the tests are quick. */
export const KEY = "other_KEY_FOR_THE_COMMAND_LINE";

/** The built program, as it is installed. */
export const PROGRAM = `${root}dist/cli.js`;

/** What a command came to. */
export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/**
 * The environment of a child: no settings of this shell's own, so that colour is up to the test, and no API until the
 * test names one.
 */
export function environment(more: Record<string, string> = {}): Record<string, string> {
  const { PATH = "", HOME = "" } = process.env;
  return {
    PATH,
    HOME,
    TERM: "xterm-256color",
    COMPLYCUBE_API_KEY: KEY,
    COMPLYCUBE_BASE_URL: "http://127.0.0.1:9",
    ...more,
  };
}

/** Starts the built program. */
export function startCli(args: string[], more: Record<string, string> = {}): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [PROGRAM, ...args], { cwd: root, env: environment(more) });
}

/** Waits for a program's end. Whatever it was told to do, the key must not be in what it wrote. */
export async function finished(child: ChildProcessWithoutNullStreams): Promise<Ran> {
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  expect(leaks(stdout + stderr, [KEY])).toEqual([]);
  return { status: status as number, stdout, stderr };
}

/** Runs the built program with its output in pipes, and with `input` on stdin. */
export function runCli(args: string[], input = "", more: Record<string, string> = {}): Promise<Ran> {
  const child = startCli(args, more);
  child.stdin.on("error", () => {}); // A program that reads no stdin may be gone before it is written.
  child.stdin.end(input);
  return finished(child);
}

/** Makes `cli` the built program in a shell's command line. */
const CLI = `cli() { '${process.execPath}' '${PROGRAM}' "$@"; }`;

/** Runs a shell's command line, in which `cli` is the built program. */
export function runShell(line: string, more: Record<string, string> = {}): Promise<Ran> {
  const child = spawn("sh", ["-c", `${CLI}; ${line}`], { cwd: root, env: environment(more) });
  child.stdin.end();
  return finished(child);
}

/** Runs a command inside this process, for its exit code and what it writes; misuse is thrown. */
export async function runHere(command: () => number | Promise<number>): Promise<Ran> {
  vi.stubEnv("FORCE_COLOR", undefined);
  const written = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((chunk) => {
      written[name] += String(chunk);
      return true;
    }),
  );
  try {
    const status = await command();
    expect(leaks(written, [KEY])).toEqual([]);
    return { status, ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
    vi.unstubAllEnvs();
  }
}

/** Whether the `script` of util-linux is here, which gives a program a terminal. */
export const hasTerminal = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes(
  "util-linux",
);

/** Whether there is the device of Linux that is always full. */
export const hasFullDevice = existsSync("/dev/full");
if (!hasFullDevice) console.warn("SKIPPED: the tests of a full disk that need /dev/full, which is not here.");

/** Starts a shell's command line on a pseudo-terminal; what is typed goes into its stdin. */
export function startInTerminal(
  line: string,
  more: Record<string, string> = {},
): ChildProcessWithoutNullStreams {
  return spawn("script", ["-qefc", `${CLI}; ${line}`, "/dev/null"], {
    cwd: root,
    env: environment({ SHELL: "/bin/sh", ...more }),
  });
}
