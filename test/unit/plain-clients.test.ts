import { afterEach, expect, test } from "vitest";
import { createClient, generateToken } from "../../src/client.ts";
import { createTokensFetch } from "../../src/fetch.ts";
import { listen } from "../support/listen.ts";

const apiKey = "test_PLAIN_CLIENTS_KEY";
const body = { clientId: "CLIENT_ID", appId: "com.myapp.demo.app" };
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

test.each<[string, (baseUrl: string) => Promise<{ data?: unknown; response?: Response }>]>([
  ["createTokensFetch", (baseUrl) => createTokensFetch({ apiKey, baseUrl }).POST("/v1/tokens", { body })],
  ["generateToken", (baseUrl) => generateToken({ client: createClient({ baseUrl, auth: apiKey }), body })],
])("%s follows no redirect: the body reaches no other host", async (_, mint) => {
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
