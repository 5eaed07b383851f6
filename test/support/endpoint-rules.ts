import { once } from "node:events";
import { type ClientRequest, type IncomingHttpHeaders, request as openRequest } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type RecordingApi, startRecordingApi } from "./recording-api.ts";

/** An example that is running. */
export interface RunningExample {
  url: string;
  /** Whether a caller is only known to have gone when its connection is reset, as it is in workerd by itself. */
  noticesOnlyResets?: boolean;
  close(): Promise<unknown>;
}

const ENDPOINT = "/api/complycube-token";
const APP = "https://app.example.com";
const SAME_ORIGIN = { "sec-fetch-site": "same-origin" };

/**
 * Holds an example to the rules over a real socket. `start` is given the address of the API, and imports the example only
 * then, since it reads its settings when it is loaded.
 */
export function describeEndpoint(
  name: string,
  referrer: string,
  start: (apiUrl: string) => Promise<RunningExample>,
): void {
  describe(name, () => {
    let api: RecordingApi;
    let example: RunningExample;
    let cookie: string;

    const open = (method: string, path: string, headers: Record<string, string> = {}) =>
      openRequest(new URL(path, example.url), { method, headers, agent: false });
    const send = (method: string, path: string, headers?: Record<string, string>, body?: string) =>
      answerOf(open(method, path, headers).end(body));
    const ask = (headers: Record<string, string>, body?: string) =>
      send("POST", ENDPOINT, { cookie, ...headers }, body);

    beforeAll(async () => {
      api = await startRecordingApi(inject("prismUrl"));
      process.env.COMPLYCUBE_API_KEY = "EXAMPLE_KEY";
      process.env.COMPLYCUBE_BASE_URL = api.url;
      example = await start(api.url);
      const { status, headers } = await send("POST", "/sign-in/ada");
      expect(status).toBe(204);
      cookie = String(headers["set-cookie"]).split(";")[0] ?? "";
    });
    afterAll(async () => {
      await example?.close();
      await api?.close();
    });
    beforeEach(() => api.forget());

    test("mints for the signed-in user's client, whatever the body and the query name", async () => {
      const { status, headers, body } = await send(
        "POST",
        `${ENDPOINT}?clientId=CLIENT_OF_EVE`,
        { cookie, ...SAME_ORIGIN, "content-type": "application/json" },
        '{"clientId":"CLIENT_OF_EVE","referrer":"https://evil.example/*"}',
      );

      expect(status).toBe(200);
      expect(JSON.parse(body)).toEqual({ token: expect.any(String) });
      expect(headers["cache-control"]).toBe("no-store");
      expect(api.sent).toEqual([{ clientId: "CLIENT_ID_OF_ADA", referrer }]);
      expect(api.violations).toEqual([]);
    });

    test.each([
      ["empty JSON", "application/json", ""],
      ["broken JSON", "application/json", '{"clientId":'],
      ["a form", "application/x-www-form-urlencoded", "clientId=CLIENT_OF_EVE"],
      ["of an unknown type", "application/x-unknown", "clientId"],
      ["large", "text/plain", "x".repeat(3_000_000)],
    ])("answers a body that is %s as it answers none", async (_, type, body) => {
      const { status } = await ask({ ...SAME_ORIGIN, "content-type": type }, body);

      expect(status).toBe(200);
      expect(api.sent).toEqual([{ clientId: "CLIENT_ID_OF_ADA", referrer }]);
    });

    test("answers 401 when nobody is signed in", async () => {
      const { status, body } = await ask({ ...SAME_ORIGIN, cookie: "session=forged" });

      expect(status).toBe(401);
      expect(body).toBe('{"error":"unauthenticated"}');
      expect(api.sent).toEqual([]);
    });

    test.each([
      ["says cross-site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
      ["says same-site", { "sec-fetch-site": "same-site", origin: "https://blog.example.com" }],
      ["has a foreign Origin", { host: "app.example.com", origin: "https://evil.example" }],
      ["has an Origin of another port", { host: "app.example.com", origin: `${APP}:8443` }],
      [
        "forges the host of a proxy",
        { host: "app.example.com", origin: "https://evil.example", "x-forwarded-host": "evil.example" },
      ],
    ])("refuses a signed-in browser whose request %s", async (_, headers) => {
      const { status, body, ...answer } = await ask(headers);

      expect(status).toBe(403);
      expect(body).toBe('{"error":"cross_origin"}');
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      expect(api.sent).toEqual([]);
    });

    test("knows its own host behind a proxy that ends TLS", async () => {
      const { status } = await ask({ host: "app.example.com", origin: APP, "x-forwarded-proto": "https" });

      expect(status).toBe(200);
    });

    test("answers other methods with 405", async () => {
      const answers = await Promise.all(
        ["GET", "PUT", "DELETE"].map((method) => send(method, ENDPOINT, { cookie, ...SAME_ORIGIN })),
      );

      expect(answers.map(({ status }) => status)).toEqual([405, 405, 405]);
      expect(answers[0]?.headers.allow).toContain("POST");
      expect(api.sent).toEqual([]);
    });

    test("keeps to itself what the API says", async () => {
      api.instead = { status: 400, body: '{"type":"invalid_request","message":"SECRET","param":"clientId"}' };

      const { status, body, headers } = await ask(SAME_ORIGIN);

      expect(status).toBe(502);
      expect(body).toBe('{"error":"upstream_failed"}');
      expect(JSON.stringify(headers)).not.toContain("SECRET");
    });

    test("ends the call to the API when the caller goes away", async () => {
      api.instead = "nothing";
      const call = open("POST", ENDPOINT, { cookie, ...SAME_ORIGIN });
      call.on("error", () => {});

      call.end();
      await expect.poll(() => api.sent.length, { timeout: 5_000 }).toBe(1);
      if (example.noticesOnlyResets) call.socket?.resetAndDestroy();
      else call.destroy();

      await expect.poll(() => api.abandoned, { timeout: 5_000 }).toBe(1);
    });
  });
}

async function answerOf(
  call: ClientRequest,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  const [response] = await once(call, "response");
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}
