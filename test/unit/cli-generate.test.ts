import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { finished, startCli } from "../support/cli.ts";
import { mintingApi } from "../support/minting-api.ts";

const appId = "com.example.app";
const folder = mkdtempSync(join(tmpdir(), "complycube-cli-"));
let api: Awaited<ReturnType<typeof mintingApi>>;

beforeAll(async () => {
  api = await mintingApi();
});
afterEach(() => api.reset());
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

/** What is said in code, and not on a command line. */
const IN_CODE = /\{|\b(apiKey|baseUrl|clientId|appId|pageUrl|timeoutMs|allow[A-Z]\w+)\b|environment variable/;

describe("generate", () => {
  test("mints for a pattern with a path only with --allow-referrer-path", async () => {
    const referrer = "https://www.example.com/verify/*";

    const refused = await cli("C1", "--referrer", referrer);
    const minted = await cli("C1", "--referrer", referrer, "--allow-referrer-path");

    expect(refused.stderr).toContain('Use "https://www.example.com/*". If all your users have Chrome');
    expect(refused.stderr).toContain("give --allow-referrer-path. Try: complycube-tokens generate --help");
    expect(refused.status).toBe(2);
    expect(minted).toEqual({ status: 0, stdout: "TOKEN_OF_C1\n", stderr: "" });
    expect(api.sent).toHaveLength(1);
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
    api.answer = (_, response) =>
      void response
        .writeHead(code, { "x-request-id": "req_1" })
        .end(JSON.stringify({ message: "no good.", ...fields }));

    const { status, stdout, stderr } = await cli("C1", "--app-id", appId);

    expect(stderr).toBe(`${expected}\n`);
    expect(stdout).toBe("");
    expect(status).toBe(1);
  });

  test("says how often it tried", async () => {
    api.answer = (_, response) => void response.writeHead(429, { "retry-after": "0" }).end();

    const { status, stderr } = await cli("C1", "--app-id", appId);

    expect(stderr).toBe(
      "RateLimitError: The API answered 429 without saying why (3 attempts). Wait a little; for many tokens, use --batch.\n",
    );
    expect(status).toBe(1);
  });

  test("exits 1 when no token comes back, and says where to look", async () => {
    api.answer = (_, response) => void response.end("<html>");

    const { status, stderr } = await cli("C1", "--app-id", appId);

    expect(stderr).toMatch(
      /^InvalidResponseError: [^\n]+\. [^\n]+ check COMPLYCUBE_BASE_URL and any proxy\.\n$/,
    );
    expect(status).toBe(1);
  });

  test("exits 1 when nobody answers, and says where to look", async () => {
    api.answer = (_, response) => void response.destroy();

    const { status, stderr } = await cli("C1", "--app-id", appId);

    expect(stderr).toMatch(
      /^ConnectionError: [^\n]+ \(3 attempts\)\. Check the network, and COMPLYCUBE_BASE_URL where it is set\.\n$/,
    );
    expect(status).toBe(1);
  });

  test("shows what the API says on one line that a terminal can do no harm with", async () => {
    api.answer = (_, response) =>
      void response.writeHead(400).end(JSON.stringify({ message: "two\nlines \u001b[31m\u009b1m\u202e" }));

    const { stderr } = await cli("C1", "--app-id", appId);

    expect(stderr).toMatch(/^InvalidRequestError: two lines \\u001b\[31m\\u009b1m\\u202e\. /);
  });

  test.each([
    [[], "CLIENT_ID is missing: name the client, or a file of many with --batch."],
    [["--app-id", appId], "CLIENT_ID is missing"],
    [["C1"], "--referrer, for the Web SDK, or --app-id, for a Mobile SDK, is missing."],
    [
      ["C1", "--app-id", appId, "--referrer", "https://a.example.com/*"],
      "give either --referrer or --app-id.",
    ],
    [["C1", "C2", "--app-id", appId], "generate takes one CLIENT_ID. Quote the pattern"],
    [["C1", "--appId", appId], "There is no option --appId. Did you mean --app-id?"],
    [["C1", "--app_id", appId], "There is no such option. Did you mean --app-id?"],
    [["", "--app-id", appId], "CLIENT_ID is blank."],
    [["C1", "--app-id", ""], "--app-id is blank."],
    [["C1", "--referrer", ""], "--referrer is blank."],
    [
      ["C1", "--referrer", "com.example.app"],
      "looks like an app ID. Give the match pattern of your own pages",
    ],
    [
      ["C1", "--app-id", "www.example.com"],
      "is a web host. Give a bundle ID or application ID, such as com.example.app; for a web page, give --referrer.",
    ],
    [
      ["live_KEYKEYKEY", "--app-id", appId],
      "CLIENT_ID looks like an API key. It is the ID of the client; the key goes into COMPLYCUBE_API_KEY",
    ],
    [["C1", "--referrer", "https://undefined/*"], "holds a value that was never filled in."],
    [["C1", "--referrer", "https://www.example.com/verify"], "give --allow-referrer-path."],
    [["C1", "--app-id", "my app"], "is not a bundle ID or application ID."],
    [
      ["C1", "--referrer", "*://*/*"],
      "matches every site, so a stolen token would work anywhere. Give the match pattern of your own pages",
    ],
    [["C1", "--batch", "-"], "A batch takes clients and targets from its file alone."],
    [["--batch", "-", "--resume", "-"], "--batch and --resume cannot both read stdin."],
    [["--resume", "results.jsonl"], "--resume goes with --batch"],
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
    expect(stderr.replace(/^There is no option \S+/, "")).not.toMatch(IN_CODE);
    expect(stdout).toBe("");
    expect(status).toBe(2);
    expect(api.sent).toEqual([]);
  });

  test("exits 2 for a COMPLYCUBE_BASE_URL that is none", async () => {
    const child = startCli(["generate", "C1", "--app-id", appId], {
      COMPLYCUBE_BASE_URL: "http://api.example.com",
    });

    const { status, stderr } = await finished(child);

    expect(stderr).toMatch(
      /^COMPLYCUBE_BASE_URL must start with https:\/\/.* with COMPLYCUBE_DANGEROUSLY_ALLOW_PLAIN_HTTP=true\./,
    );
    expect(stderr).not.toContain("dangerouslyAllow");
    expect(status).toBe(2);
  });
});

function cli(...args: string[]) {
  return finished(startCli(["generate", ...args], { COMPLYCUBE_BASE_URL: api.url }));
}
