import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { finished, hasTerminal, runShell, startInTerminal } from "../support/cli.ts";
import { listen } from "../support/listen.ts";

vi.setConfig({ testTimeout: 30_000 }); // Each test starts programs.

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const COLOUR = /\u001b\[3\dm/;
const BAR = /[=-]{20}/;

const folder = mkdtempSync(join(tmpdir(), "complycube-terminal-"));
const batch = join(folder, "clients.jsonl");
const results = join(folder, "results.jsonl");
const tokenUntil = (exp: number) => `e30.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.`;
const token = tokenUntil(1);
let api: Awaited<ReturnType<typeof listen>>;

beforeAll(async () => {
  api = await listen(async (request, response) => {
    await delay(20); // Long enough for the bar to be drawn in between.
    response.setHeader("content-type", "application/json");
    if (request.url?.startsWith("/refusing")) response.statusCode = 401;
    response.end('{"token":"TOKEN"}');
  });
  const rows = Array.from({ length: 100 }, (_, i) => `{"clientId":"C${i}","appId":"com.example.app"}\n`);
  writeFileSync(batch, rows.join(""));
});
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

const withApi = (more: Record<string, string> = {}) => ({ COMPLYCUBE_BASE_URL: api.url, ...more });
const CHECKS = [
  ["check-referrer", "cli check-referrer 'https://a.example.com/*' https://a.example.com/", 0],
  ["check-referrer that says no", "cli check-referrer 'https://a.example.com/*' https://b.example.com/", 1],
  ["inspect of a token that has expired", `cli inspect ${token}`, 0],
  ["inspect of a token that works", `cli inspect ${tokenUntil(9_999_999_999)}`, 0],
  [
    "a failure",
    "COMPLYCUBE_BASE_URL=$COMPLYCUBE_BASE_URL/refusing; cli generate C1 --app-id com.example.app",
    1,
  ],
] as const;
const BATCH = `cli generate --batch ${batch} > ${results}`;

describe("in a pipe", () => {
  test.each(CHECKS)("%s has no colour", async (_, line, expected) => {
    const { status, stdout, stderr } = await runShell(line, withApi());

    expect(stdout + stderr).not.toContain("\u001b");
    expect(status).toBe(expected);
  });

  test.each(CHECKS)("%s has colour under FORCE_COLOR", async (_, line) => {
    const { stdout, stderr } = await runShell(line, withApi({ FORCE_COLOR: "1" }));

    expect(stdout + stderr).toMatch(COLOUR);
  });

  test("a batch has no progress bar", async () => {
    const { status, stdout, stderr } = await runShell(BATCH, withApi());

    expect(stderr).toBe("100 minted, 0 failed.\n");
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });
});

describe.skipIf(!hasTerminal)(
  hasTerminal ? "on a terminal" : "on a terminal (SKIPPED: the script of util-linux is not installed)",
  () => {
    test.each(CHECKS)("%s has colour, and its exit code", async (_, line, expected) => {
      const { status, stdout } = await finished(startInTerminal(line, withApi()));

      expect(stdout).toMatch(COLOUR);
      expect(status).toBe(expected);
    });

    test.each(CHECKS)("%s has no colour under NO_COLOR", async (_, line, expected) => {
      const { status, stdout } = await finished(startInTerminal(line, withApi({ NO_COLOR: "1" })));

      expect(stdout).not.toContain("\u001b");
      expect(status).toBe(expected);
    });

    test("the JSON of inspect stays JSON when it alone goes into a pipe", async () => {
      const { stdout } = await finished(startInTerminal(`cli inspect ${token} 2>/dev/null | cat`));

      expect(JSON.parse(stdout)).toMatchObject({ claims: { exp: 1 } });
    });

    test("a batch has a progress bar in colour, which its closing line replaces", async () => {
      const { status, stdout } = await finished(startInTerminal(BATCH, withApi()));

      expect(stdout).toMatch(/[=-]{20}\S* \d+\/100 done, 0 failed, /);
      expect(stdout).toMatch(COLOUR);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what clears the bar's line.
      expect(stdout).toMatch(/\u001b\[2K100 minted, 0 failed\.\r\n$/);
      expect(readFileSync(results, "utf8").trim().split("\n")).toHaveLength(100);
      expect(status).toBe(0);
    });

    test("a batch keeps its bar under NO_COLOR, without colour", async () => {
      const { stdout } = await finished(startInTerminal(BATCH, withApi({ NO_COLOR: "1" })));

      expect(stdout).toMatch(BAR);
      expect(stdout).not.toMatch(COLOUR);
    });

    test("a batch draws no bar between results on the same terminal", async () => {
      const { stdout } = await finished(startInTerminal(`cli generate --batch ${batch}`, withApi()));

      expect(stdout).not.toMatch(BAR);
      expect(stdout).toMatch(/"token":"TOKEN"\}\r\n/);
      expect(stdout).toMatch(/\n100 minted, 0 failed\.\r\n$/);
    });

    test("nothing of a row, a file name or a failure gets through that a terminal would obey", async () => {
      const evil = "\u007f\u0080\u009b31m\u202e\u2066\u200f\u2028\u{e0001}";
      const row = (more: string) => `{"clientId":"C1","appId":"com.example.app",${more}}`;
      const rows = [row(`"a":\t1,\r"b":"${evil}"`), `not JSON \u001b[2J${evil}`, row(`"c":"\\u001b[2J"`)];
      const path = join(folder, `clients\u001b[2J${evil}.jsonl`);
      writeFileSync(path, `${rows.join("\n")}\n`);
      const line = `cli generate --batch "$FILE"; cli generate --batch "$FILE.no"; cli inspect "$FILE"; cli "$FILE"`;

      const { stdout } = await finished(startInTerminal(line, withApi({ FILE: path, NO_COLOR: "1" })));

      const shown = stdout.replace(/\r\n/g, "\n");
      expect(shown.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      const results = shown.split("\n").filter((text) => text.startsWith("{"));
      expect(results.map((text) => JSON.parse(text))).toMatchObject([
        { line: 2, input: rows[1] },
        { line: 1, a: 1, b: evil, token: "TOKEN" },
        { line: 3, c: "\u001b[2J", token: "TOKEN" },
      ]);
    });

    test("Ctrl-C stops a batch, and leaves the terminal as it was", async () => {
      const child = startInTerminal(BATCH, withApi({ COMPLYCUBE_API_KEY: "test_KEY_OF_FIVE_A_SECOND" }));
      const done = finished(child);
      for (let seen = ""; !/[1-9]\d*\/100 done/.test(seen); )
        seen += String((await once(child.stdout, "data"))[0]);

      child.stdin.write("\u0003");
      const { status, stdout } = await done;

      expect(stdout).toMatch(
        /Stopped: \d+ minted, 0 failed; a line without a result was not minted\. To go on: [^\n]+\r\n$/,
      );
      expect(stdout).not.toContain("\u001b[?"); // Neither cursor nor line breaks were switched off.
      expect(status).toBe(130);
    });

    test("inspect - says that it waits, and reads what is pasted", async () => {
      const child = startInTerminal("cli inspect -");
      const done = finished(child);
      for (let seen = ""; !seen.includes("Paste the token, then press Enter and Ctrl-D.\r\n"); )
        seen += String((await once(child.stdout, "data"))[0]);

      child.stdin.write(`${token}\n\u0004`);
      const { status, stdout } = await done;

      expect(stdout).toContain('"expiresAt": "1970-01-01T00:00:01.000Z"');
      expect(status).toBe(0);
    });
  },
);

test("the terminal tests run in CI", () => {
  expect(hasTerminal || process.env.CI === undefined).toBe(true);
});
