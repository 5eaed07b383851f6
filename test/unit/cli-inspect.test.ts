import { describe, expect, test, vi } from "vitest";
import { inspect } from "../../src/cli/inspect.ts";
import { runCli, runHere } from "../support/cli.ts";

vi.setConfig({ testTimeout: 30_000 }); // Each test starts programs.

const encode = (claims: object) => Buffer.from(JSON.stringify(claims)).toString("base64url");
const token = (claims: object) => `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}.c2lnbmF0dXJl`;
const now = () => Date.now() / 1_000;

describe("inspect", () => {
  const claims = { clientId: "CLIENT_ID", iat: 1_700_000_000, exp: 1_700_003_600 };
  const json = `{
  "expiresAt": "2023-11-14T23:13:20.000Z",
  "issuedAt": "2023-11-14T22:13:20.000Z",
  "claims": {
    "clientId": "CLIENT_ID",
    "iat": 1700000000,
    "exp": 1700003600
  }
}
`;

  test.each([
    ["an argument", token(claims), ""],
    ["stdin", "-", `${token(claims)}\n`],
  ])("writes what the token of %s says as JSON, and the rest to stderr", async (_, arg, stdin) => {
    const { status, stdout, stderr } = await runCli(["inspect", arg], stdin);

    expect(stdout).toBe(json);
    expect(stderr).toMatch(/^The token expired [\d,]+ days ago\. Its signature was not checked\.\n$/);
    expect(status).toBe(0);
  });

  test.each([
    ["expires in 3 days", 3 * 86_400 + 30],
    ["expires in 47 hours", 48 * 3_600 - 30],
    ["expires in 2 hours", 7_230],
    ["expires in 119 minutes", 7_170],
    ["expires in 59 minutes", 3_600 - 1],
    ["expires in 1 minute", 90],
    ["expires in 29 seconds", 29.9],
    ["expired 0 seconds ago", -0.1],
    ["expired 5 minutes ago", -330],
    ["expired 2 days ago", -2 * 86_400 - 30],
  ])("tells that a token %s", async (says, seconds) => {
    const { status, stderr } = await runHere(() => inspect([token({ exp: now() + seconds })]));

    expect(stderr).toBe(`The token ${says}. Its signature was not checked.\n`);
    expect(status).toBe(0);
  });

  test("leaves out the times that a token does not tell", async () => {
    const { status, stdout, stderr } = await runHere(() => inspect([token({ exp: "soon" })]));

    expect(JSON.parse(stdout)).toEqual({ claims: { exp: "soon" } });
    expect(stderr).toBe("The token does not say when it expires. Its signature was not checked.\n");
    expect(status).toBe(0);
  });

  test("lets nothing through that a terminal would obey, in the same JSON", async () => {
    const odd = { "\u009b2J": "\u001b[31m\u007f\u202e\u2028\u{e0001}\nname: 名前 🎫" };

    const { stdout } = await runHere(() => inspect([token(odd)]));

    expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(stdout).toContain("名前 🎫");
    expect(JSON.parse(stdout)).toEqual({ claims: odd });
  });

  test.each([
    ["", "Nothing came on stdin."],
    ["\n", "Nothing came on stdin."],
    ["<CLIENT_TOKEN>\n", "This is not a JSON Web Token: it must be three parts in base64url"],
    [`e30.${"c2VjcmV0LW9mLXRoZS10b2tlbg"}.e30\n`, "This is not a JSON Web Token: its second part"],
  ])("refuses %j on stdin without showing it", async (stdin, says) => {
    const { status, stdout, stderr } = await runCli(["inspect", "-"], stdin);

    expect(stderr.startsWith(says)).toBe(true);
    expect(stderr).toMatch(/^[^\n]+ Try: complycube-tokens inspect --help\n$/);
    expect(stderr).not.toContain("CLIENT_TOKEN");
    expect(stderr).not.toContain("c2VjcmV0");
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });
});
