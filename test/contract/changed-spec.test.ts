import { afterAll, beforeAll, expect, test } from "vitest";
import { projectWithChangedSpec } from "../support/changed-spec.ts";
import { listen } from "../support/listen.ts";

const CALLS = `
import { ComplyCube } from "./src/index.ts";
import { Ending } from "./src/core/deadline.ts";
import { createOperation } from "./src/core/http/operation.ts";
import { throughFetch } from "./src/core/http/through-fetch.ts";
import { createTokensFetch } from "./src/fetch.ts";

const [baseUrl = ""] = process.argv.slice(2);
await new ComplyCube({ apiKey: "test_KEY", baseUrl }).token.generate("CLIENT_ID", { appId: "a.b" });

const send = createOperation(baseUrl, throughFetch(fetch, baseUrl, () => {}));
await send({ clientId: "CLIENT_ID", appId: "a.b", locale: "en" }, "test_KEY")(new Ending());

await createTokensFetch({ apiKey: "test_KEY", baseUrl }).POST("/v2/session-tokens" as never, {
  body: { clientId: "CLIENT_ID", appId: "a.b" },
} as never);

const fetchOfNowhere = async (url: string) => {
  process.stdout.write(url);
  return Response.json({ token: "TOKEN" });
};
await new ComplyCube({ apiKey: "test_KEY", fetch: fetchOfNowhere }).token.generate("CLIENT_ID", { appId: "a.b" });
`;

let project: Awaited<ReturnType<typeof projectWithChangedSpec>>;

beforeAll(async () => {
  project = await projectWithChangedSpec([
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
  ]);
  project.write("calls.ts", CALLS);
});
afterAll(() => project.remove());

test("what a changed spec says goes out, without a change in src/", async () => {
  const received: unknown[] = [];
  const { url, close } = await listen(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { authorization, "x-api-key": key, "content-type": type } = request.headers;
    received.push({ path: request.url, authorization, key, type, body: JSON.parse(body) });
    response.end('{"token":"TOKEN"}');
  });

  const { exitCode, output } = await project.run(["calls.ts", url]);
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
    { ...sent, body },
  ]);
  expect(output).toBe("https://api.example.com/v2/session-tokens");
});

test("a field that is new in the spec is known to the types, and a misspelt one is not", async () => {
  project.write("misspelt.ts", CALLS.replace("locale:", "locole:"));

  const output = await project.compile("calls.ts", "misspelt.ts");

  expect(output.match(/^(calls|misspelt)\.ts.*error TS/gm)).toHaveLength(1);
  expect(output).toMatch(/^misspelt\.ts.*'locole' does not exist/m);
});
