import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectWithChangedSpec } from "../support/changed-spec.ts";
import { listen } from "../support/listen.ts";

// The example of "Change the API" in CONTRIBUTING.md, step by step: an optional field of the web request.
const IN_THE_SPEC = `        referrer:
          $ref: "#/components/schemas/Referrer"
`;
const FIELD = `        expiresIn:
          description: How many seconds the token lives.
          type: integer
          minimum: 60
          maximum: 3600
          examples: [900]
`;
const IN_THE_TABLE = `      check: checkReferrer,
    },
`;
const ENTRY = `    expiresIn: { type: "number", what: "a lifetime in seconds, such as 900" },
`;

/** Every way in, typed as a user would write it. */
const CALLS = `
import { createTokenHandler } from "./src/handler/index.ts";
import { type BatchRequest, ComplyCube, type TokenTarget } from "./src/index.ts";

const [baseUrl = ""] = process.argv.slice(2);
const complycube = new ComplyCube({ apiKey: "other_KEY", baseUrl });
const target: TokenTarget = { referrer: "https://www.example.com/*", expiresIn: 900 };
await complycube.token.generate("GENERATE", target);

const row: BatchRequest = { clientId: "GENERATE_MANY", ...target };
for await (const { error } of complycube.token.generateMany([row])) if (error !== undefined) throw error;

const authenticate = () => ({ clientId: "HANDLER" });
const handler = createTokenHandler({ complycube, target, authenticate });
const { status } = await handler(new Request("http://localhost/", { method: "POST" }));
if (status !== 200) throw new Error(String(status));
`;
const WRONG = `
import { type BatchRequest, type TokenTarget } from "./src/index.ts";
export const misspelt: TokenTarget = { referrer: "https://www.example.com/*", expiresin: 900 };
export const mistyped: BatchRequest = { clientId: "C", referrer: "https://www.example.com/*", expiresIn: "900" };
export const misplaced: TokenTarget = { appId: "com.example.app", expiresIn: 900 };
`;

let project: Awaited<ReturnType<typeof projectWithChangedSpec>>;

beforeAll(async () => {
  project = await projectWithChangedSpec([[IN_THE_SPEC, IN_THE_SPEC + FIELD]]);
  project.write("calls.ts", CALLS);
  project.write("wrong.ts", WRONG);
});
afterAll(() => project.remove());

test("a field of the spec that the table lacks is a compile error that names it", async () => {
  const output = await project.compile("calls.ts", "src/cli/main.ts");

  expect(output.match(/error TS/g)).toHaveLength(1);
  expect(output).toMatch(/^src\/core\/client\/target\.ts.*error TS/);
  expect(output).toContain("Property 'expiresIn' is missing in type");
});

test("once the table has it, every way in passes it on", async () => {
  project.change("src/core/client/target.ts", [[IN_THE_TABLE, IN_THE_TABLE + ENTRY]]);
  const received: unknown[] = [];
  const { url, close } = await listen(async (request, response) => {
    received.push(JSON.parse(await text(request)));
    response.end('{"token":"TOKEN"}');
  });
  const env = { COMPLYCUBE_API_KEY: "other_KEY", COMPLYCUBE_BASE_URL: url };
  const referrer = "https://www.example.com/*";
  const cli = (...args: string[]) => ["src/cli/main.ts", "generate", ...args];
  const row = JSON.stringify({ clientId: "BATCH", referrer, expiresIn: 900, note: "mine" });

  const compiled = await project.compile("calls.ts", "src/cli/main.ts");
  const called = await project.run(["calls.ts", url]);
  const single = await project.run(cli("CLI", "--referrer", referrer, "--expires-in", "900"), env);
  const batch = await project.run(cli("--batch", "-"), env, `${row}\n`);
  const wrong = await project.run(cli("CLI", "--referrer", referrer, "--expires-in", "soon"), env);
  const elsewhere = await project.run(cli("CLI", "--app-id", "com.example.app", "--expires-in", "900"), env);
  const help = await project.run(cli("--help"));
  await close();

  expect(compiled).toBe("");
  for (const { exitCode, output } of [called, single, batch]) expect(exitCode, output).toBe(0);
  expect(received).toEqual(
    ["GENERATE", "GENERATE_MANY", "HANDLER", "CLI", "BATCH"].map((clientId) => ({
      clientId,
      referrer,
      expiresIn: 900,
    })),
  );
  expect(wrong.exitCode).toBe(2);
  expect(wrong.output).toContain("--expires-in must be a lifetime in seconds, such as 900, not NaN.");
  expect(elsewhere.exitCode).toBe(2);
  expect(elsewhere.output).toContain("must not have expiresIn beside appId");
  expect(help.output).toMatch(/^ {2}--expires-in VALUE +A lifetime in seconds, such as 900$/m);
}, 120_000);

test("a target or a row with that field misspelt, mistyped or on the wrong request does not compile", async () => {
  const output = await project.compile("wrong.ts");

  expect(output.match(/error TS/g)).toHaveLength(3);
  for (const line of [3, 4, 5]) expect(output).toMatch(new RegExp(`^wrong\\.ts\\(${line},`, "m"));
});
