import { readFileSync } from "node:fs";
import type { IncomingMessage, RequestListener } from "node:http";
import { text } from "node:stream/consumers";
import { inspect } from "node:util";
import { ComplyCube as Official } from "@complycube/api";
import { afterEach, describe, expect, test } from "vitest";
import { root } from "../../scripts/root.ts";
import { ComplyCube, type ComplyCubeOptions, type RequestOptions } from "../../src/index.ts";
import { listen } from "../support/listen.ts";

const KEY = "test_MOVING_KEY_1234";
const WEB = { referrer: "https://www.example.com/*" };
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

interface Sent {
  body: string;
  at: number;
}

/** A stand-in for the API, and everything that reached it. */
async function api(answer: RequestListener): Promise<{ url: string; sent: Sent[] }> {
  const sent: Sent[] = [];
  const { url, close } = await listen(async (request: IncomingMessage, response) => {
    sent.push({ body: await text(request), at: performance.now() });
    answer(request, response);
  });
  closing.push(close);
  return { url, sent };
}

const mints: RequestListener = (_, response) => response.end('{"token":"TOKEN"}');
const answers =
  (status: number, body: string): RequestListener =>
  (_, response) =>
    response.writeHead(status, { "content-type": "application/json" }).end(body);
const staysSilent: RequestListener = () => {};

type Generate = (clientId: string, target: object, options?: RequestOptions) => Promise<unknown>;

function official(url: string): { client: Official; generate: Generate } {
  const client = new Official({ apiKey: KEY });
  // Its base URL is fixed; its axios instance is not.
  (client as unknown as { axiosInstance: { defaults: { baseURL: string } } }).axiosInstance.defaults.baseURL =
    `${url}/v1`;
  // What it does with a third argument is for a test to find out.
  return { client, generate: client.token.generate.bind(client.token) as never };
}

function ours(baseUrl: string, options: ComplyCubeOptions = {}): { client: ComplyCube; generate: Generate } {
  const client = new ComplyCube({ apiKey: KEY, baseUrl, ...options });
  return { client, generate: client.token.generate.bind(client.token) as never };
}

/** Sends the same call through both: the official client sends it, ours refuses it and sends nothing. */
async function isSentByTheOfficialOneOnly(target: object, refusal: string): Promise<string> {
  const theirs = await api(mints);
  const mine = await api(mints);

  await expect(official(theirs.url).generate("CLIENT_ID", target)).resolves.toBe("TOKEN");
  await expect(ours(mine.url).generate("CLIENT_ID", target)).rejects.toThrow(refusal);

  expect(theirs.sent).toHaveLength(1);
  expect(mine.sent).toHaveLength(0);
  return theirs.sent[0]?.body ?? "";
}

/** The rows of the guide's table, by their first column. */
const ROWS: Record<string, () => Promise<void>> = {
  async "The result's type"() {
    const { url } = await api(mints);

    const theirs: unknown = await official(url).generate("CLIENT_ID", WEB);
    const mine = await new ComplyCube({ apiKey: KEY, baseUrl: url }).token.generate("CLIENT_ID", WEB);

    expect(theirs).toBe("TOKEN");
    expect(mine.toUpperCase()).toBe("TOKEN");
  },

  async "A `clientId` inside the second argument"() {
    const body = await isSentByTheOfficialOneOnly({ clientId: "OTHER", ...WEB }, "clientId");

    expect(JSON.parse(body)).toEqual({ clientId: "OTHER", ...WEB });
  },

  async "Both or neither of `referrer` and `appId`"() {
    await isSentByTheOfficialOneOnly({ ...WEB, appId: "com.example.app" }, "appId");
    await isSentByTheOfficialOneOnly({}, "referrer");
  },

  async '`referrer: "*://*/*"`'() {
    await isSentByTheOfficialOneOnly({ referrer: "*://*/*" }, "allowAnyReferrer");
  },

  async "A 2xx that is not a token"() {
    for (const body of ["<html>", "", '{"token', "{}"]) {
      const { url } = await api(answers(200, body));

      await expect(official(url).generate("CLIENT_ID", WEB)).resolves.toBeUndefined();
      await expect(ours(url).generate("CLIENT_ID", WEB)).rejects.toMatchObject({
        name: "InvalidResponseError",
      });
    }
  },

  async "A redirect to another host"() {
    const elsewhere = await api(answers(200, '{"token":"STOLEN"}'));
    const location = elsewhere.url.replace("127.0.0.1", "localhost");
    const { url } = await api((_, response) => response.writeHead(307, { location }).end());

    await expect(official(url).generate("CLIENT_ID", WEB)).resolves.toBe("STOLEN");
    expect(JSON.parse(elsewhere.sent[0]?.body ?? "")).toEqual({ clientId: "CLIENT_ID", ...WEB });
    await expect(ours(url, { maxRetries: 0 }).generate("CLIENT_ID", WEB)).rejects.toMatchObject({
      name: "ConnectionError",
    });
    expect(elsewhere.sent).toHaveLength(1);
  },

  async "An API that does not answer"() {
    const { url } = await api(staysSilent);
    const { client, generate } = official(url);
    const { timeout } = (client as unknown as { axiosInstance: { defaults: { timeout: number } } })
      .axiosInstance.defaults;

    expect(timeout).toBe(0); // For axios, none.
    const waiting = generate("CLIENT_ID", WEB).catch(() => "ended with the server");
    await expect(
      ours(url, { timeoutMs: 100, maxRetries: 0 }).generate("CLIENT_ID", WEB),
    ).rejects.toMatchObject({ name: "TimeoutError", timeoutMs: 100 });
    await expect(Promise.race([waiting, Promise.resolve("still waits")])).resolves.toBe("still waits");
  },

  async "A 503"() {
    const theirs = await api(answers(503, '{"type":"unavailable","message":"Busy"}'));
    const mine = await api(answers(503, '{"type":"unavailable","message":"Busy"}'));

    await expect(official(theirs.url).generate("CLIENT_ID", WEB)).rejects.toMatchObject({
      statusCode: 503,
      responseBody: { message: "Busy" },
    });
    await expect(ours(mine.url).generate("CLIENT_ID", WEB)).rejects.toMatchObject({
      status: 503,
      body: { message: "Busy" },
      attempts: 3,
    });

    expect(theirs.sent).toHaveLength(1);
    expect(mine.sent).toHaveLength(3);
  },

  async "An aborted `signal`"() {
    const { url } = await api(mints);
    const signal = AbortSignal.abort("changed my mind");

    await expect(official(url).generate("CLIENT_ID", WEB, { signal })).resolves.toBe("TOKEN");
    await expect(ours(url).generate("CLIENT_ID", WEB, { signal })).rejects.toBe("changed my mind");
  },

  async "12 calls at once, with a test key"() {
    const theirs = await api(staysSilent);
    const mine = await api(staysSilent);
    const calls = Array.from({ length: 12 });
    const stop = new AbortController();

    const { generate } = official(theirs.url);
    for (const _ of calls) generate("CLIENT_ID", WEB).catch(() => {});
    await expect.poll(() => theirs.sent.length, { timeout: 10_000 }).toBe(12);
    const limited = ours(mine.url);
    const startedAt = performance.now();
    for (const _ of calls) limited.generate("CLIENT_ID", WEB, { signal: stop.signal }).catch(() => {});
    await expect.poll(() => mine.sent.length, { timeout: 10_000 }).toBeGreaterThan(5);

    expect((mine.sent[5]?.at ?? 0) - startedAt).toBeGreaterThan(1_000);
    stop.abort();
  },

  async "`console.log` of a client"() {
    const { url } = await api(mints);

    expect(inspect(official(url).client, { depth: 9 })).toContain(KEY);
    expect(inspect(ours(url).client, { depth: 9, showHidden: true })).not.toContain(KEY);
  },
};

describe("moving from the official client", () => {
  test("the guide has a row for each test, and the version that is tested", () => {
    const page = readFileSync(`${root}docs/content/docs/guide/moving.md`, "utf8");
    const [, heading = "", table = ""] = /\n(\| \|[^\n]*)\n(.*?)\n*$/s.exec(page) ?? [];
    const rows = table
      .split("\n")
      .slice(1)
      .map((line) => line.split(" | ")[0]?.slice(2));

    expect(rows).toEqual(Object.keys(ROWS));
    const { devDependencies } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
    expect(heading).toContain(`\`@complycube/api\` ${devDependencies["@complycube/api"]}`);
  });

  test.for(Object.entries(ROWS))("%s", ([, check]) => check());
});
