import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { finished, KEY, runShell, startCli } from "../support/cli.ts";

const appId = "com.example.app";
const folder = mkdtempSync(join(tmpdir(), "complycube-cli-"));

type Answer = (clientId: string, response: ServerResponse) => void;
const minting: Answer = (clientId, response) =>
  void response.end(JSON.stringify({ token: `TOKEN_OF_${clientId}` }));
let answer: Answer = minting;
let sent: string[] = [];
let baseUrl: string;
const running: ChildProcessWithoutNullStreams[] = [];

const server = createServer(async (request, response) => {
  const { clientId } = JSON.parse(await text(request)) as { clientId: string };
  sent.push(clientId);
  response.setHeader("content-type", "application/json");
  answer(clientId, response);
});

beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  answer = minting;
  sent = [];
});
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

describe("generate", () => {
  test("mints for a pattern with a path only with --allow-referrer-path", async () => {
    const referrer = "https://www.example.com/verify/*";

    const refused = await cli("C1", "--referrer", referrer);
    const minted = await cli("C1", "--referrer", referrer, "--allow-referrer-path");

    expect(refused.stderr).toContain('Use "https://www.example.com/*". If all your users have Chrome');
    expect(refused.stderr).toContain("give --allow-referrer-path. Try: complycube-tokens generate --help");
    expect(refused.status).toBe(2);
    expect(minted).toEqual({ status: 0, stdout: "TOKEN_OF_C1\n", stderr: "" });
    expect(sent).toHaveLength(1);
  });

  test.each([
    [["C1", "--app-id", appId], "TOKEN_OF_C1\n"],
    [["C1", "--referrer", "https://www.example.com/*"], "TOKEN_OF_C1\n"],
    [["C1", "--app-id", appId, "--json"], '{"token":"TOKEN_OF_C1"}\n'],
  ])("%j writes the token alone and exits 0", async (args, expected) => {
    const { status, stdout, stderr } = await cli(...args);

    expect(stdout).toBe(expected);
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  test.each([
    [400, { param: "clientId" }, "InvalidRequestError: no good (request ID req_1). Check CLIENT_ID."],
    [400, { param: "referrer" }, "InvalidRequestError: no good (request ID req_1). Check --referrer."],
    [400, { param: "appId" }, "InvalidRequestError: no good (request ID req_1). Check --app-id."],
    [
      400,
      {},
      "InvalidRequestError: no good (request ID req_1). Check CLIENT_ID and what the token is bound to.",
    ],
    [
      401,
      {},
      "AuthenticationError: no good (request ID req_1). Check the key in COMPLYCUBE_API_KEY, or in the file of --api-key-file.",
    ],
    [
      403,
      {},
      "PermissionDeniedError: no good (request ID req_1). This key may not mint tokens: take another.",
    ],
    [
      402,
      {},
      "ComplyCubeApiError: no good (request ID req_1). Check COMPLYCUBE_BASE_URL where it is set, and your ComplyCube account.",
    ],
    [501, {}, "ComplyCubeApiError: no good (request ID req_1). Try again later."],
  ])("exits 1 with one line on stderr when the API answers %d %j", async (code, fields, expected) => {
    answer = (_, response) =>
      void response
        .writeHead(code, { "x-request-id": "req_1" })
        .end(JSON.stringify({ message: "no good.", ...fields }));

    const { status, stdout, stderr } = await cli("C1", "--app-id", appId);

    expect(stderr).toBe(`${expected}\n`);
    expect(stdout).toBe("");
    expect(status).toBe(1);
  });

  test("says how often it tried", async () => {
    answer = (_, response) => void response.writeHead(429, { "retry-after": "0" }).end();

    const { status, stderr } = await cli("C1", "--app-id", appId);

    expect(stderr).toBe(
      "RateLimitError: The API answered 429 without saying why (3 attempts). Wait a little; for many tokens, use --batch.\n",
    );
    expect(status).toBe(1);
  });

  test("exits 1 when no token comes back, and says where to look", async () => {
    answer = (_, response) => void response.end("<html>");

    const { status, stderr } = await cli("C1", "--app-id", appId);

    expect(stderr).toMatch(
      /^InvalidResponseError: [^\n]+\. [^\n]+ check COMPLYCUBE_BASE_URL and any proxy\.\n$/,
    );
    expect(status).toBe(1);
  });

  test("exits 1 when nobody answers, and says where to look", async () => {
    answer = (_, response) => void response.destroy();

    const { status, stderr } = await cli("C1", "--app-id", appId);

    expect(stderr).toMatch(
      /^ConnectionError: [^\n]+ \(3 attempts\)\. Check the network, and COMPLYCUBE_BASE_URL where it is set\.\n$/,
    );
    expect(status).toBe(1);
  });

  test("shows what the API says on one line that a terminal can do no harm with", async () => {
    answer = (_, response) =>
      void response.writeHead(400).end(JSON.stringify({ message: "two\nlines \u001b[31m\u009b1m\u202e" }));

    const { stderr } = await cli("C1", "--app-id", appId);

    expect(stderr).toMatch(/^InvalidRequestError: two lines \\u001b\[31m\\u009b1m\\u202e\. /);
  });

  test.each([
    [[], "generate takes one client ID"],
    [["C1"], "either --referrer, for the Web SDK, or --app-id"],
    [["C1", "--app-id", appId, "--referrer", "https://a.example.com/*"], "either --referrer"],
    [["C1", "C2", "--app-id", appId], "generate takes one client ID"],
    [["", "--app-id", appId], "CLIENT_ID is blank."],
    [["C1", "--app-id", ""], "--app-id is blank."],
    [["C1", "--referrer", ""], "--referrer is blank."],
    [["C1", "--referrer", "com.example.app"], 'looks like an app ID. Pass --app-id "com.example.app".'],
    [["C1", "--app-id", "www.example.com"], 'pass --referrer "https://www.example.com/*".'],
    [
      ["live_KEYKEYKEY", "--app-id", appId],
      "CLIENT_ID looks like an API key. The key goes into COMPLYCUBE_API_KEY",
    ],
    [["C1", "--referrer", "*://*/*"], "such as https://www.example.com/*. Try:"],
    [["C1", "--batch", "-"], "A batch takes clients and targets from its file alone."],
    [["--batch", "-", "--retry-failed", "-"], "give one of them"],
    [["C1", "--app-id", appId, "--app-id=com.example.other"], "--app-id is given twice."],
    [["--batch", "-", "C1"], "A batch takes clients and targets from its file alone."],
    [["--batch", "-", "--json"], "A batch takes clients and targets from its file alone."],
    [["--batch", "-", "--app-id", appId], "A batch takes clients and targets from its file alone."],
    [["--batch", "/nowhere/at-all.jsonl"], 'Cannot read "/nowhere/at-all.jsonl": there is no such file.'],
    [["--batch", folder], "it is a directory."],
  ])("%j exits 2, and nothing is sent", async (args, says) => {
    const { status, stdout, stderr } = await cli(...args);

    expect(stderr).toContain(says);
    expect(stderr).toMatch(/^[^\n]+ Try: complycube-tokens generate --help\n$/);
    expect(stdout).toBe("");
    expect(status).toBe(2);
    expect(sent).toEqual([]);
  });

  test("exits 2 for a COMPLYCUBE_BASE_URL that is none", async () => {
    const child = start(["C1", "--app-id", appId], { COMPLYCUBE_BASE_URL: "http://api.example.com" });

    const { status, stderr } = await finished(child);

    expect(stderr).toMatch(
      /^COMPLYCUBE_BASE_URL must start with https:\/\/.* set COMPLYCUBE_DANGEROUSLY_ALLOW_PLAIN_HTTP/,
    );
    expect(stderr).not.toContain("dangerouslyAllow");
    expect(status).toBe(2);
  });
});

describe("generate --batch", () => {
  test("refuses a line whose pattern has a path, unless --allow-referrer-path is given", async () => {
    const file = lines(['{"clientId":"C1","referrer":"https://www.example.com/verify/*"}']);

    const refused = await cli("--batch", file);
    const minted = await cli("--batch", file, "--allow-referrer-path");

    expect(parse(refused.stdout)[0]?.error).toMatchObject({ name: "ReferrerPatternError" });
    expect(refused.status).toBe(1);
    expect(parse(minted.stdout)[0]).toMatchObject({ token: "TOKEN_OF_C1" });
    expect(minted.status).toBe(0);
    expect(sent).toHaveLength(1);
  });

  test("writes a result for every line, with its number, and exits 1 when one failed", async () => {
    answer = (clientId, response) =>
      clientId === "C2" ? void response.writeHead(401).end('{"message":"no"}') : minting(clientId, response);
    const file = lines([
      `{"clientId":"C1","appId":"${appId}","row":"mine"}`,
      `{"clientId":"C2","appId":"${appId}"}`,
      "",
      "nonsense",
      '{"clientId":"C5"}',
      "[1]",
      `{"clientId":"C7","referrer":"https://www.example.com/*"}`,
    ]);

    const { status, stdout, stderr } = await cli("--batch", file);

    const results = parse(stdout);
    expect(results.map(({ line }) => line)).toEqual([1, 2, 4, 5, 6, 7]);
    expect(results[0]).toEqual({ line: 1, clientId: "C1", appId, row: "mine", token: "TOKEN_OF_C1" });
    expect(results[1]).toMatchObject({
      line: 2,
      error: { name: "AuthenticationError", code: "api", status: 401 },
    });
    expect(results[2]).toMatchObject({
      input: "nonsense",
      error: { message: "The line is not a JSON object." },
    });
    expect(results[3]).toMatchObject({ clientId: "C5", error: { name: "TypeError" } });
    expect(results[4]).toMatchObject({ input: "[1]" });
    expect(results[5]).toMatchObject({ token: "TOKEN_OF_C7" });
    expect(stderr).toBe("2 minted, 4 failed.\n");
    expect(status).toBe(1);
  });

  test("reads stdin, and exits 0 when every token was minted", async () => {
    const child = start(["--batch", "-"]);
    child.stdin.end(many(3));

    const { status, stdout } = await finished(child);

    expect(parse(stdout).map(({ token }) => token)).toEqual(["TOKEN_OF_C1", "TOKEN_OF_C2", "TOKEN_OF_C3"]);
    expect(status).toBe(0);
  });

  test("--retry-failed takes the failed lines of a result alone", async () => {
    answer = (clientId, response) =>
      clientId === "C2" ? void response.writeHead(401).end("{}") : minting(clientId, response);
    const first = await cli("--batch", lines([...many(3).trim().split("\n"), "nonsense"]));
    answer = minting;
    sent = [];

    const again = await cli("--retry-failed", lines(first.stdout.trim().split("\n")));

    expect(sent).toEqual(["C2"]);
    const results = parse(again.stdout).map(({ line: _, ...result }) => result);
    expect(results).toHaveLength(2);
    expect(results).toContainEqual({ clientId: "C2", appId, token: "TOKEN_OF_C2" });
    expect(results).toContainEqual(expect.objectContaining({ input: "nonsense" }));
  });

  test("--retry-failed takes a row that has a field `input` of its own", async () => {
    answer = (_, response) => void response.writeHead(401).end("{}");
    const first = await cli("--batch", lines([`{"clientId":"C1","appId":"${appId}","input":"mine"}`]));
    answer = minting;

    const again = await cli("--retry-failed", lines([first.stdout.trim()]));

    expect(parse(again.stdout)).toEqual([
      { line: 1, clientId: "C1", appId, input: "mine", token: "TOKEN_OF_C1" },
    ]);
  });

  test("reads a named pipe", async () => {
    const pipe = join(folder, "pipe");

    const { status, stdout } = await runShell(
      `mkfifo ${pipe} && { echo '{"clientId":"C1","appId":"${appId}"}' > ${pipe} & cli generate --batch ${pipe}; }`,
      { COMPLYCUBE_BASE_URL: baseUrl },
    );

    expect(parse(stdout)).toEqual([{ line: 1, clientId: "C1", appId, token: "TOKEN_OF_C1" }]);
    expect(status).toBe(0);
  });

  test("a result can be fed to --batch again", async () => {
    const first = await cli("--batch", lines(many(2).trim().split("\n")));

    const again = await cli("--batch", lines(first.stdout.trim().split("\n")));

    expect(parse(again.stdout)).toEqual(parse(first.stdout));
    expect(sent).toEqual(["C1", "C2", "C1", "C2"]);
  });

  test("a row that fails now does not keep the token of an earlier result", async () => {
    answer = (_, response) => void response.writeHead(401).end("{}");

    const { stdout } = await cli("--batch", lines([`{"clientId":"C1","appId":"${appId}","token":"OLD"}`]));

    expect(parse(stdout)[0]).toMatchObject({ error: { status: 401 } });
    expect(stdout).not.toContain("OLD");
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s stops it cleanly, with what is done written",
    async (signal) => {
      answer = (clientId, response) => void (Number(clientId.slice(1)) <= 3 && minting(clientId, response));
      const child = start(["--batch", "-"]);
      child.stdin.write(many(50)); // And stdin stays open.
      const done = finished(child);
      for (let seen = ""; seen.split("\n").length < 4; )
        seen += String((await once(child.stdout, "data"))[0]);

      child.kill(signal);
      const { status, stdout, stderr } = await done;

      expect(parse(stdout)).toHaveLength(3);
      expect(stdout.endsWith("\n")).toBe(true);
      expect(stderr).toBe("Stopped: 3 minted, 0 failed; a line without a result was not minted.\n");
      expect(status).toBe(130);
      expect(sent.length).toBeLessThan(50);
    },
  );

  test("stops when nobody reads its output any more", async () => {
    const child = start(["--batch", lines(many(20_000).trim().split("\n"))]);
    const done = once(child, "exit");

    await once(child.stdout, "data");
    child.stdout.destroy();
    const [status] = await done;

    expect(status).toBe(130);
    expect(sent.length).toBeLessThan(20_000);
  });

  test.skipIf(!existsSync("/dev/full"))("exits 1 when its results cannot be written", async () => {
    const { status, stderr } = await runShell(
      `cli generate --batch ${lines(many(3).trim().split("\n"))} > /dev/full`,
      { COMPLYCUBE_BASE_URL: baseUrl },
    );

    expect(stderr).toMatch(/^Cannot write the result: ENOSPC\.\nStopped: /);
    expect(status).toBe(1);
  });

  test.each([
    ["live_KEY", 36_001],
    ["test_KEY", 18_001],
  ])("warns when a batch with a %s outlives its own first token", async (key, count) => {
    const file = lines(many(count).trim().split("\n"));
    const child = start(["--batch", file], { COMPLYCUBE_API_KEY: key });
    const done = finished(child);
    await once(child.stdout, "data");

    child.kill("SIGINT");
    const { stderr } = await done;

    expect(stderr).toMatch(new RegExp(`^Warning: ${count} tokens take over an hour \\(${count - 1} an hour`));
  });

  test("shows the key nowhere", async () => {
    answer = (_, response) => void response.writeHead(400).end(`{"message":"bad key ${KEY}"}`);

    const { stdout, stderr } = await cli("--batch", lines(many(2).trim().split("\n")));

    expect(stdout + stderr).not.toContain(KEY);
  });
});

function start(args: string[], more: Record<string, string> = {}): ChildProcessWithoutNullStreams {
  const child = startCli(["generate", ...args], { COMPLYCUBE_BASE_URL: baseUrl, ...more });
  running.push(child);
  return child;
}

function cli(...args: string[]) {
  return finished(start(args));
}

let files = 0;
function lines(content: string[]): string {
  const file = join(folder, `${++files}.jsonl`);
  writeFileSync(file, content.map((line) => `${line}\n`).join(""));
  return file;
}

function many(count: number): string {
  return Array.from({ length: count }, (_, i) => `{"clientId":"C${i + 1}","appId":"${appId}"}\n`).join("");
}

/** The result lines, in the order of the input. */
function parse(stdout: string): { line: number; [field: string]: unknown }[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { line: number })
    .toSorted((a, b) => a.line - b.line);
}
