import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, test, vi } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { environment, hasFullDevice, KEY, PROGRAM, runCli, runShell, startCli } from "../support/cli.ts";

vi.setConfig({ testTimeout: 30_000 }); // Each test starts programs.

const COMMANDS = ["generate", "check-referrer", "inspect"];
const folder = mkdtempSync(join(tmpdir(), "complycube-cli-"));

afterAll(() => rmSync(folder, { recursive: true }));

describe("--version", () => {
  test("writes the version alone", async () => {
    const { status, stdout, stderr } = await runCli(["--version"]);

    expect(stdout).toBe(`${packageJson.version}\n`);
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  test("is answered by the file itself, as npm links it", () => {
    const { status, stdout } = spawnSync(PROGRAM, ["--version"], { encoding: "utf8", env: environment() });

    expect(stdout).toBe(`${packageJson.version}\n`);
    expect(status).toBe(0);
  });
});

describe("--help", () => {
  test.each([["--help"], ["-h"], ["help"]])("%s names each command and exit code", async (flag) => {
    const { status, stdout, stderr } = await runCli([flag]);

    for (const command of COMMANDS)
      expect(stdout).toMatch(new RegExp(`^  complycube-tokens ${command} `, "m"));
    for (const code of [0, 1, 2, 130]) expect(stdout).toMatch(new RegExp(`^  ${code} +\\w`, "m"));
    expect(stdout).toContain("COMPLYCUBE_API_KEY");
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  test.each(COMMANDS.flatMap((command) => ["--help", "-h"].map((flag) => [command, flag] as const)))(
    "%s %s has exit codes and examples, and fits a terminal",
    async (command, flag) => {
      const { status, stdout, stderr } = await runCli([command, flag]);

      for (const part of ["Usage:", "Exit codes:", "Environment:", "Examples:"])
        expect(stdout).toContain(`\n${part}\n`);
      expect(stdout.split("Examples:")[1]).toContain(`complycube-tokens ${command} `);
      expect(stdout.split("\n").filter((line) => line.length > 120)).toEqual([]);
      expect(stderr).toBe("");
      expect(status).toBe(0);
    },
  );

  test("says for inspect how to keep the token out of the shell's history", async () => {
    const { stdout } = await runCli(["inspect", "--help"]);

    expect(stdout).toMatch(/inspect TOKEN +leaves it in your shell's history; - avoids that/);
  });
});

describe("misuse", () => {
  const pattern = "https://a.example.com/*";
  const page = "https://a.example.com/";

  test.each([
    { args: [], says: "No command was given. The commands: generate, check-referrer, inspect." },
    {
      args: ["nonsense"],
      says: "There is no command nonsense. The commands: generate, check-referrer, inspect.",
    },
    {
      args: ["--nonsense"],
      says: "There is no command --nonsense. The commands: generate, check-referrer, inspect.",
    },
    { args: ["constructor"], says: "There is no command constructor. " },
    { args: [KEY], says: "There is no command. The commands: generate, check-referrer, inspect." },
    { args: ["generate", `--${KEY}`], says: "There is no such option." },
    {
      args: ["generate", "--referer", pattern],
      says: "There is no option --referer. Did you mean --referrer?",
    },
    { args: ["generate", "C1", "--app-id"], says: "--app-id needs a value." },
    {
      args: ["generate", "C1", "--app-id", "--json"],
      says: "--app-id needs a value; one that starts with a dash is written --app-id=-VALUE.",
    },
    { args: ["generate", "C1", "--json=1"], says: "--json takes no value." },
    { args: ["check-referrer"], says: "check-referrer takes a pattern and a page's URL." },
    { args: ["check-referrer", pattern], says: "check-referrer takes a pattern and a page's URL." },
    {
      args: ["check-referrer", pattern, page, page],
      says: "check-referrer takes a pattern and a page's URL.",
    },
    {
      args: ["check-referrer", page, pattern],
      says: "PATTERN comes first, and then PAGE_URL: they look swapped.",
    },
    { args: ["check-referrer", "https://a.example.com", page], says: "Invalid referrer pattern" },
    { args: ["check-referrer", pattern, "nonsense"], says: "PAGE_URL must be a URL" },
    { args: ["check-referrer", pattern, page, "--nonsense"], says: "There is no option --nonsense." },
    { args: ["inspect"], says: "inspect takes one token, or - to read it from stdin." },
    { args: ["inspect", "-", "-"], says: "inspect takes one token, or - to read it from stdin." },
    { args: ["inspect", KEY], says: "This is not a JSON Web Token: it must be three parts" },
  ])("exits 2 with one line on stderr and nothing on stdout: $args", async ({ args, says }) => {
    const { status, stdout, stderr } = await runCli(args);

    expect(stderr.startsWith(says)).toBe(true);
    expect(stderr).toMatch(/^[^\n]+[.?] Try: complycube-tokens (.+ )?--help\n$/);
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });
});

describe("an output that cannot be written", () => {
  const claims = { text: "x".repeat(1_000_000) };
  const large = join(folder, "large-token.txt");
  writeFileSync(large, `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.`);

  test("| head ends quietly", async () => {
    const { status, stdout, stderr } = await runShell(`cli inspect - < ${large} | head -n 1`);

    expect(stdout).toBe("{\n");
    expect(stderr).toBe("The token does not say when it expires. Its signature was not checked.\n");
    expect(status).toBe(0);
  });

  test("a stderr that nobody reads is no failure", async () => {
    const child = startCli(["inspect", "-"]);
    child.stderr.destroy();
    child.stdin.end("e30.e30.");

    const [stdout, [status]] = await Promise.all([text(child.stdout), once(child, "close")]);

    expect(JSON.parse(stdout)).toEqual({ claims: {} });
    expect(status).toBe(0);
  });

  test.skipIf(!hasFullDevice)("a full disk is said in one line, and exits 1", async () => {
    const { status, stdout, stderr } = await runShell("cli check-referrer --help > /dev/full");

    expect(stderr).toBe("Cannot write the result: ENOSPC.\n");
    expect(stdout).toBe("");
    expect(status).toBe(1);
  });
});
