import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generate } from "../../scripts/generate.ts";
import { root } from "../../scripts/root.ts";
import { listen } from "../support/listen.ts";

/** A copy of `src/` as it is, beside what is generated from a changed copy of the spec. */
const project = mkdtempSync(join(tmpdir(), "complycube-changed-spec-"));

const CHANGES: [from: string, to: string][] = [
  ["  - url: https://api.complycube.com", "  - url: https://api.example.com"],
  ["  /v1/tokens:", "  /v2/session-tokens:"],
  ["      name: Authorization", "      name: X-Api-Key"],
  [
    `        appId:
          $ref: "#/components/schemas/AppId"
`,
    `        appId:
          $ref: "#/components/schemas/AppId"
        locale:
          type: string
`,
  ],
];

const CALLS = `
import { ComplyCube } from "./src/index.ts";
import { createOperation } from "./src/core/http/operation.ts";
import { throughFetch } from "./src/core/http/through-fetch.ts";

const [baseUrl = ""] = process.argv.slice(2);
await new ComplyCube({ apiKey: "test_KEY", baseUrl }).token.generate("CLIENT_ID", { appId: "a.b" });

const send = createOperation(baseUrl, throughFetch(fetch));
await send({ clientId: "CLIENT_ID", appId: "a.b", locale: "en" }, "test_KEY")(new AbortController().signal);

const fetchOfNowhere = async (url: string) => {
  process.stdout.write(url);
  return Response.json({ token: "TOKEN" });
};
await new ComplyCube({ apiKey: "test_KEY", fetch: fetchOfNowhere }).token.generate("CLIENT_ID", { appId: "a.b" });
`;

beforeAll(async () => {
  for (const folder of ["src", "openapi"]) cpSync(root + folder, join(project, folder), { recursive: true });
  for (const file of ["package.json", "tsconfig.json"]) cpSync(root + file, join(project, file));
  symlinkSync(`${root}node_modules`, join(project, "node_modules"));
  writeFileSync(join(project, "calls.ts"), CALLS);

  const spec = join(project, "openapi/openapi.yaml");
  let text = readFileSync(spec, "utf8");
  for (const [from, to] of CHANGES) {
    expect(text.split(from), from).toHaveLength(2);
    text = text.replace(from, to);
  }
  writeFileSync(spec, text);
  await generate(join(project, "generated"), spec);
}, 60_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ exitCode: number; output: string }> {
  const child = spawn(process.execPath, args, { cwd: project, env: { PATH: process.env.PATH } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const [exitCode] = await once(child, "close");
  return { exitCode, output };
}

test("what a changed spec says goes out, without a change in src/", async () => {
  const received: unknown[] = [];
  const { url, close } = await listen(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { authorization, "x-api-key": key, "content-type": type } = request.headers;
    received.push({ path: request.url, authorization, key, type, body: JSON.parse(body) });
    response.end('{"token":"TOKEN"}');
  });

  const { exitCode, output } = await run("calls.ts", url);
  await close();

  expect(exitCode, output).toBe(0);
  const sent = {
    path: "/v2/session-tokens",
    authorization: undefined,
    key: "test_KEY",
    type: "application/json",
  };
  const body = { clientId: "CLIENT_ID", appId: "a.b" };
  expect(received).toEqual([
    { ...sent, body },
    { ...sent, body: { ...body, locale: "en" } },
  ]);
  expect(output).toBe("https://api.example.com/v2/session-tokens");
}, 30_000);

test("a field that is new in the spec is known to the types, and a misspelt one is not", async () => {
  writeFileSync(join(project, "misspelt.ts"), CALLS.replace("locale:", "locole:"));
  const config = { extends: "./tsconfig.json", include: ["calls.ts", "misspelt.ts"] };
  writeFileSync(join(project, "tsconfig.calls.json"), JSON.stringify(config));

  const { output } = await run("node_modules/typescript/bin/tsc", "--project", "tsconfig.calls.json");

  expect(output.match(/error TS/g)).toHaveLength(1);
  expect(output).toMatch(/^misspelt\.ts.*'locole' does not exist/);
}, 60_000);
