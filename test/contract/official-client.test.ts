import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { ComplyCube as Official } from "@complycube/api";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { ComplyCube, type TokenTarget } from "../../src/index.ts";

interface Sent {
  path: string | undefined;
  authorization: string | undefined;
  contentType: string | undefined;
  body: unknown;
}

const apiKey = "test_CONTRACT_KEY";
const sent: Sent[] = [];
const violations: string[] = [];

/** Passes requests on to Prism, without the trailing slash that the official client sends and Prism does not know. */
const proxy = createServer(async (request: IncomingMessage, response) => {
  const body = await text(request);
  const { authorization, "content-type": contentType } = request.headers;
  sent.push({ path: request.url, authorization, contentType, body: JSON.parse(body) });
  const answer = await fetch(inject("prismUrl") + request.url?.replace(/\/$/, ""), {
    method: "POST",
    headers: { authorization: authorization ?? "", "content-type": contentType ?? "" },
    body,
  });
  violations.push(...[answer.headers.get("sl-violations")].filter((found) => found !== null));
  response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
});
let baseUrl: string;

beforeAll(async () => {
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  baseUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
});
afterAll(() => {
  proxy.close();
  proxy.closeAllConnections();
});

const targets: TokenTarget[] = [{ referrer: "https://www.example.com/*" }, { appId: "com.myapp.demo.app" }];

describe("the official client", () => {
  test.each(targets)("sends what the spec allows, and we send the same: %o", async (target) => {
    const official = new Official({ apiKey });
    // Its base URL is fixed; its axios instance is not.
    (
      official as unknown as { axiosInstance: { defaults: { baseURL: string } } }
    ).axiosInstance.defaults.baseURL = `${baseUrl}/v1`;
    const ours = new ComplyCube({ apiKey, baseUrl });
    sent.length = 0;

    const officialToken: unknown = await official.token.generate("CLIENT_ID", target as never);
    const ourToken = await ours.token.generate("CLIENT_ID", target);

    expect(violations).toEqual([]);
    expect(officialToken).toBe("<CLIENT_TOKEN>");
    expect(ourToken).toBe(officialToken);
    const [theirs, mine] = sent;
    expect(theirs?.path).toBe("/v1/tokens/");
    expect(mine?.path).toBe("/v1/tokens");
    expect(mine?.body).toEqual(theirs?.body);
    expect(mine?.authorization).toBe(theirs?.authorization);
    expect(mine?.contentType).toBe(theirs?.contentType);
  });
});
