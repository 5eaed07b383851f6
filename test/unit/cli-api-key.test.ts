import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { runCli, runShell } from "../support/cli.ts";
import { leaks } from "../support/leak-scan.ts";
import { listen } from "../support/listen.ts";

vi.setConfig({ testTimeout: 30_000 }); // Each test starts programs.

const FILE_KEY = "other_c2VjcmV0IGtleSBvZiB0aGUgZmlsZQ==";
const folder = mkdtempSync(join(tmpdir(), "complycube-key-"));
const target = ["--app-id", "com.example.app"];

let api: Awaited<ReturnType<typeof listen>>;
let keys: (string | undefined)[] = [];
let status = 200;

beforeAll(async () => {
  api = await listen((request, response) => {
    keys.push(request.headers.authorization);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(status === 200 ? '{"token":"TOKEN"}' : `{"message":"not ${request.headers.authorization}"}`);
  });
});
beforeEach(() => {
  keys = [];
  status = 200;
});
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

/** Runs `generate`; the key of the file may be in what it writes no more than that of the environment. */
async function generate(args: string[], environmentKey = "other_KEY_OF_THE_ENVIRONMENT", stdin = "") {
  const ran = await runCli(["generate", ...args], stdin, {
    COMPLYCUBE_API_KEY: environmentKey,
    COMPLYCUBE_BASE_URL: api.url,
  });
  expect(leaks(ran, [FILE_KEY, "other_KEY_OF_THE_ENVIRONMENT"])).toEqual([]);
  return ran;
}

let files = 0;
function keyFile(content: string | Buffer): string {
  const file = join(folder, `key-${++files}`);
  writeFileSync(file, content);
  return file;
}

describe("the API key", () => {
  test("comes from the environment", async () => {
    const { status } = await generate(["C1", ...target]);

    expect(keys).toEqual(["other_KEY_OF_THE_ENVIRONMENT"]);
    expect(status).toBe(0);
  });

  test.each([
    ["as it is", FILE_KEY],
    ["with a line break at its end", `${FILE_KEY}\n`],
    ["with line breaks of Windows at its end", `${FILE_KEY}\r\n\r\n`],
    ["with a byte order mark", `\uFEFF${FILE_KEY}\n`],
  ])("comes from --api-key-file %s, which wins over the environment", async (_, content) => {
    const { status, stdout, stderr } = await generate(["C1", ...target, "--api-key-file", keyFile(content)]);

    expect(keys).toEqual([FILE_KEY]);
    expect(stdout).toBe("TOKEN\n");
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  test("comes from --api-key-file where the environment has none", async () => {
    await generate(["C1", ...target, "--api-key-file", keyFile(FILE_KEY)], "");

    expect(keys).toEqual([FILE_KEY]);
  });

  test("comes from --api-key-file for a batch too", async () => {
    const rows = '{"clientId":"C1","appId":"com.example.app"}\n';

    const { status } = await generate(["--batch", "-", "--api-key-file", keyFile(FILE_KEY)], "", rows);

    expect(keys).toEqual([FILE_KEY]);
    expect(status).toBe(0);
  });

  test("sets the pace of a batch, whichever way it came", async () => {
    const rows = Array.from({ length: 18_001 }, () => '{"clientId":"C1"}\n').join("");

    const { stderr } = await generate(
      ["--batch", "-", "--api-key-file", keyFile("test_KEY_OF_THE_FILE")],
      "",
      rows,
    );

    expect(stderr).toMatch(/^Warning: 18001 tokens take over an hour \(18000 an hour/);
  });

  test("comes from a pipe that stands in for a file", async () => {
    const { stdout } = await runShell(
      `printf ${FILE_KEY} | cli generate C1 --app-id com.example.app --api-key-file /dev/stdin`,
      { COMPLYCUBE_BASE_URL: api.url },
    );

    expect(stdout).toBe("TOKEN\n");
    expect(keys).toEqual([FILE_KEY]);
  });

  test.each([
    [
      "that is not there",
      () => join(folder, "nowhere"),
      "Cannot read the file of --api-key-file: there is no such file.",
    ],
    [
      "that is the key itself",
      () => FILE_KEY,
      "Cannot read the file of --api-key-file: there is no such file.",
    ],
    ["that is a dash", () => "-", "Cannot read the file of --api-key-file: there is no such file."],
    ["that is a directory", () => folder, "Cannot read the file of --api-key-file: it is a directory."],
    [
      "in UTF-16, as PowerShell 5 writes it",
      () => keyFile(Buffer.from(`\uFEFF${FILE_KEY}\r\n`, "utf16le")),
      "Cannot read the file of --api-key-file: it is UTF-16. Save it as UTF-8.",
    ],
    ["that is empty", () => keyFile(""), "The file of --api-key-file is empty."],
    ["with blanks alone", () => keyFile(" \n"), "The file of --api-key-file is empty."],
    [
      "of two lines",
      () => keyFile(`${FILE_KEY}\n${FILE_KEY}\n`),
      "The file of --api-key-file has more than one line: it must hold the key alone.",
    ],
    [
      "with a space",
      () => keyFile(`${FILE_KEY} x`),
      "The API key has a space, a line break or another character that no key has. Copy it again.",
    ],
    [
      "with Bearer",
      () => keyFile(`Bearer ${FILE_KEY}`),
      'The API key must be the bare key, without "Bearer" in front of it. Copy it again.',
    ],
  ])("is not taken from a file %s, and nothing is sent", async (_, file, says) => {
    const { status, stdout, stderr } = await generate(["C1", ...target, "--api-key-file", file()]);

    expect(stderr).toBe(`${says} Try: complycube-tokens generate --help\n`);
    expect(stdout).toBe("");
    expect(status).toBe(2);
    expect(keys).toEqual([]);
  });

  test.each([
    ["--api-key", FILE_KEY],
    [`--api-key=${FILE_KEY}`],
    ["--api_key", FILE_KEY],
    ["--apikey", FILE_KEY],
    ["--apiKey", FILE_KEY],
    ["--key", FILE_KEY],
    ["-key", FILE_KEY],
    ["--api-key"],
  ])("is refused as an argument: %s", async (...args) => {
    const { status, stdout, stderr } = await generate([
      "C1",
      ...target,
      ...args.filter((arg) => arg !== undefined),
    ]);

    expect(stderr).toMatch(
      /^An API key is not taken from an argument, [^\n]+: set COMPLYCUBE_API_KEY, or name a file that holds it with --api-key-file\. Try: /,
    );
    expect(stdout).toBe("");
    expect(status).toBe(2);
    expect(keys).toEqual([]);
  });

  test.each(["", " "])("is missed where it is %j", async (key) => {
    const { status, stderr } = await generate(["C1", ...target], key);

    expect(stderr).toBe(
      "There is no API key: set COMPLYCUBE_API_KEY, or name a file that holds it with --api-key-file. Try: complycube-tokens generate --help\n",
    );
    expect(status).toBe(2);
    expect(keys).toEqual([]);
  });

  test("is shown by no failure", async () => {
    status = 401;

    const { stderr } = await generate(["C1", ...target, "--api-key-file", keyFile(FILE_KEY)]);

    expect(keys).toEqual([FILE_KEY]);
    expect(stderr).toMatch(
      /^AuthenticationError: not .+ Check the key in COMPLYCUBE_API_KEY, or in the file of --api-key-file\.\n$/,
    );
  });
});
