import { afterEach, describe, expect, test } from "vitest";
import { createClient, generateToken } from "../../src/client.ts";
import { createTokensFetch } from "../../src/fetch.ts";
import { listen } from "../support/listen.ts";

const apiKey = "test_PLAIN_CLIENTS_KEY";
const body = { clientId: "CLIENT_ID", appId: "com.myapp.demo.app" };
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

type Mint = (baseUrl: string) => Promise<{ data?: unknown; error?: unknown; response?: Response }>;

const clients: [string, Mint][] = [
  ["createTokensFetch", (baseUrl) => createTokensFetch({ apiKey, baseUrl }).POST("/v1/tokens", { body })],
  ["generateToken", (baseUrl) => generateToken({ client: createClient({ baseUrl, auth: apiKey }), body })],
];

test.each(clients)("%s follows no redirect: the body reaches no other host", async (_, mint) => {
  let strayed = 0;
  const elsewhere = await listen((_, response) => {
    strayed += 1;
    response.setHeader("content-type", "application/json").end('{"token":"STRANGE"}');
  });
  const location = elsewhere.url.replace("127.0.0.1", "localhost");
  const api = await listen((_, response) => response.writeHead(307, { location }).end());
  closing.push(api.close, elsewhere.close);

  const { data, response } = await mint(api.url);

  expect(data).toBeUndefined();
  expect(response?.status).toBe(307);
  expect(strayed).toBe(0);
});

describe.each(clients)("%s", (_, mint) => {
  const json = { "content-type": "application/json" };
  const html = { "content-type": "text/html" };

  test.each<[string, number, Record<string, string>, string]>([
    ["an empty 401", 401, {}, ""],
    ["an empty 401 of a stated length", 401, { "content-length": "0" }, ""],
    ["an empty 500", 500, json, ""],
    ["an empty 503", 503, html, ""],
    ["a 400 with null", 400, json, "null"],
    ["a 400 with false", 400, json, "false"],
    ["a 500 with HTML", 500, html, "<h1>no</h1>"],
    ["a redirect", 302, { location: "/elsewhere" }, ""],
    ["a 304", 304, {}, ""],
    ["a 404 in JSON", 404, json, '{"type":"resource_not_found","message":"no"}'],
    ["an empty 200", 200, json, ""],
    ["an empty 200 of a stated length", 200, { ...json, "content-length": "0" }, ""],
    ["a 204", 204, {}, ""],
    ["a 200 with HTML", 200, html, "<h1>yes</h1>"],
    ["a 200 with HTML that is called JSON", 200, json, "<h1>yes</h1>"],
    ["a 200 with JSON cut off", 200, json, '{"token":"TOK'],
    ["a 200 with a string", 200, json, '"TOKEN"'],
    ["a 200 with a list", 200, json, '["TOKEN"]'],
    ["a 200 with null", 200, json, "null"],
    ["a 200 without a content type", 200, {}, "{}"],
    ["a 201 with a token that is no string", 201, json, '{"token":{}}'],
  ])("answers %s with a truthy error and no data", async (_, status, headers, text) => {
    const api = await listen((_, response) => response.writeHead(status, headers).end(text));
    closing.push(api.close);

    const { data, error, response } = await mint(api.url);

    expect(error).toBeTruthy();
    expect(data).toBeUndefined();
    expect(response?.status).toBe(status);
  });

  test.each([json, html, {}])("answers a 200 with a token as %o with data and no error", async (headers) => {
    const api = await listen((_, response) => response.writeHead(200, headers).end('{"token":"TOKEN"}'));
    closing.push(api.close);

    const { data, error } = await mint(api.url);

    expect(data).toEqual({ token: "TOKEN" });
    expect(error).toBeUndefined();
  });

  test.each([
    [200, "The API answered 200 without a token in its body."],
    [300, "The API answered 300 with a redirect, and none is followed."],
    [308, "The API answered 308 with a redirect, and none is followed."],
    [400, "The API answered 400 without saying why."],
    [503, "The API answered 503 without saying why."],
  ])("says what a %i without a body was", async (status, message) => {
    const api = await listen((_, response) => response.writeHead(status).end());
    closing.push(api.close);

    const { error } = await mint(api.url);

    expect(error).toEqual({ type: "unreadable_answer", message });
  });

  test("takes no token from a polluted Object.prototype", async () => {
    const api = await listen((_, response) => response.writeHead(200, json).end("{}"));
    closing.push(api.close);
    const polluted = Object.prototype as { token?: string };

    polluted.token = "STOLEN";
    const { data, error } = await mint(api.url).finally(() => delete polluted.token);

    expect(data).toBeUndefined();
    expect(error).toBeTruthy();
  });
});

test("a redirect that the runtime hides, as a browser does, is named as one", async () => {
  const hidden = async () => Response.error(); // Its status is 0.

  const { error } = await createTokensFetch({ apiKey, fetch: hidden }).POST("/v1/tokens", { body });

  expect(error).toMatchObject({ message: "The API answered 0 with a redirect, and none is followed." });
});

test("createTokensFetch without a key says what to pass", () => {
  expect(() => createTokensFetch({} as never)).toThrow(new TypeError("apiKey is missing. Pass { apiKey }."));
});

test("both ask every cache to keep nothing", async () => {
  const sent: Request[] = [];
  const fetch = async (request: RequestInfo | URL) => {
    sent.push(request as Request);
    return Response.json({ token: "TOKEN" });
  };

  await createTokensFetch({ apiKey, fetch }).POST("/v1/tokens", { body });
  await generateToken({ client: createClient({ auth: apiKey, baseUrl: "https://a.example", fetch }), body });
  await createTokensFetch({ apiKey, fetch }).POST("/v1/tokens", { body, cache: "force-cache" });

  expect(sent.map(({ cache }) => cache)).toEqual(["no-store", "no-store", "force-cache"]);
});
