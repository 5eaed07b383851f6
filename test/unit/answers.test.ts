import { describe, expect, test, vi } from "vitest";
import { ComplyCube, type ComplyCubeOptions } from "../../src/index.ts";
import { settle } from "../support/settle.ts";

type Fetch = NonNullable<ComplyCubeOptions["fetch"]>;

const API = "https://api.example.com";
const TOKEN = '{"token":"header.payload.signature"}';

/** What one call comes to that is answered so. */
function call(fetch: Fetch, options: ComplyCubeOptions = {}) {
  const local = { apiKey: "test_UNIT_KEY", baseUrl: API, rateLimit: false as const, maxRetries: 0 };
  return settle(new ComplyCube({ ...local, fetch, ...options }));
}

const answering =
  (body: BodyInit | null, init?: ResponseInit): Fetch =>
  async () =>
    new Response(body, init);

describe("a token", () => {
  test.each([200, 201, 299])("is taken from a %i", async (status) => {
    expect(await call(answering(TOKEN, { status }))).toEqual({ token: "header.payload.signature" });
  });

  test("is taken whatever else the body holds", async () => {
    const body = '{"id":1,"token":"!~","expiresIn":900}';

    expect(await call(answering(body))).toEqual({ token: "!~" });
  });

  test.each([
    ["no body", null],
    ["an empty body", ""],
    ["HTML", "<h1>Welcome</h1>"],
    ["JSON that is cut off", '{"token":"header'],
    ["null", "null"],
    ["a text", '"header.payload.signature"'],
    ["a list", '["header.payload.signature"]'],
    ["no token", "{}"],
    ["a number for a token", '{"token":7}'],
    ["an empty token", '{"token":""}'],
    ["a token with a space in it", '{"token":"header payload"}'],
    ["a token with a space in front", '{"token":" header"}'],
    ["a token with a line break behind", '{"token":"header\\n"}'],
    ["a token in a wrong charset", '{"token":"hÃ©ader"}'],
  ])("is not seen in a 200 with %s", async (_, body) => {
    const { error } = await call(answering(body, { headers: { "x-request-id": "req_1" } }));

    expect(error).toMatchObject({
      name: "InvalidResponseError",
      message: "The API answered 200 without a token in its body.",
      status: 200,
      requestId: "req_1",
    });
    expect(error).not.toHaveProperty("cause");
  });

  test("is not taken from a polluted Object.prototype", async () => {
    const polluted = Object.prototype as { token?: string };

    polluted.token = "STOLEN";
    const { error } = await call(answering("{}")).finally(() => delete polluted.token);

    expect(error).toMatchObject({ name: "InvalidResponseError" });
  });

  test("is not read from a body of more than 1 MiB", async () => {
    const { error } = await call(answering(TOKEN.padEnd(2 ** 20 + 1)));

    expect(error).toMatchObject({ message: "The API answered 200 with more than 1 MiB of body." });
    expect(error).not.toHaveProperty("cause");
  });

  test("is not read from a body that breaks off, and the cause says why", async () => {
    const broken = new ReadableStream({ pull: (body) => body.error(new Error("socket hang up")) });

    const { error } = await call(answering(broken));

    expect(error).toMatchObject({
      message: "The API answered 200 with a body that broke off or cannot be read.",
      cause: { message: "socket hang up" },
    });
  });
});

test("an answer that comes after the deadline is not read, and its connection is let go", async () => {
  const cancel = vi.fn();
  const late = new Response(new ReadableStream({ cancel }));
  const fetch = () => new Promise<Response>((resolve) => setTimeout(() => resolve(late), 40));

  const { error } = await call(fetch, { timeoutMs: 10 });

  expect(error).toMatchObject({ name: "TimeoutError", timeoutMs: 10 });
  await expect.poll(() => cancel.mock.calls.length).toBe(1);
});

describe("the request ID of an answer", () => {
  test.each(["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray"])(
    "is read from %s",
    async (name) => {
      const { error } = await call(answering("{}", { status: 500, headers: { [name]: "req_1" } }));

      expect(error).toMatchObject({ requestId: "req_1" });
    },
  );

  test("is the API's own where a proxy adds another", async () => {
    const headers = { "cf-ray": "of the proxy", "x-request-id": "of the API" };

    const { error } = await call(answering("{}", { status: 500, headers }));

    expect(error).toMatchObject({ requestId: "of the API" });
  });
});

describe("an answer that is no token", () => {
  test.each([0, 301, 302, 303, 307, 308])(
    "of status %i is a redirect, which is not followed",
    async (status) => {
      const { error } = await call(async () => ({ status, headers: new Headers(), text: async () => TOKEN }));

      expect(error).toMatchObject({
        name: "ConnectionError",
        message:
          `The API answered with a redirect (${status}). None is followed: it could take the key to another host. ` +
          "Check baseUrl.",
      });
    },
  );

  test.each([100, 300, 304, 404, 599])(
    "of status %i is an error, even with a token in it",
    async (status) => {
      const { error } = await call(async () => ({ status, headers: new Headers(), text: async () => TOKEN }));

      expect(error).toMatchObject({ code: "api", status });
    },
  );

  test.each<[string | null, unknown]>([
    [null, undefined],
    ["", undefined],
    ["<h1>no</h1>", "<h1>no</h1>"],
    ["[1]", [1]],
    ["null", null],
  ])("has its body %j as the error's: %j", async (body, parsed) => {
    const { error } = await call(answering(body, { status: 500 }));

    expect((error as { body: unknown }).body).toEqual(parsed);
    expect(error).toHaveProperty("message", "The API answered 500 without saying why.");
  });

  test.each([
    ["empty words", { type: "", message: "", param: "" }],
    ["words that are no text", { type: 1, message: {}, param: null }],
  ])("and has %s says nothing with them", async (_, body) => {
    const { error } = await call(answering(JSON.stringify(body), { status: 422 }));

    expect(error).toMatchObject({
      message: "The API answered 422 without saying why.",
      type: undefined,
      param: undefined,
    });
  });

  const OF_A_TEST_KEY =
    " (A client made with a live key is unknown to a test key, and the reverse; this is a test_ key.)";

  test.each<[number, object, string, string]>([
    [400, { message: "no", param: "clientId" }, "test_UNIT_KEY", `no${OF_A_TEST_KEY}`],
    [404, { message: "No such client" }, "test_UNIT_KEY", `No such client${OF_A_TEST_KEY}`],
    [400, { message: "no", param: "clientId" }, "my_test_KEY", "no"],
    [404, { message: "No such client" }, "my_test_KEY", "No such client"],
    [401, { message: "No such client", param: "clientId" }, "test_UNIT_KEY", "No such client"],
    [422, { message: "No such client", param: "clientId" }, "test_UNIT_KEY", "No such client"],
    [400, {}, "test_UNIT_KEY", "The API answered 400 without saying why."],
    [
      403,
      {},
      "my_live_KEY",
      "The API answered 403 without saying why. Check the key: it is neither a live_ nor a test_ key.",
    ],
    [402, {}, "test_UNIT_KEY", "The API answered 402 without saying why."],
  ])("%i with %j for the key %s says %s", async (status, body, apiKey, message) => {
    const { error } = await call(answering(JSON.stringify(body), { status }), { apiKey });

    expect(error).toHaveProperty("message", message);
  });
});

describe("no answer", () => {
  const throwing =
    (thrown: unknown): Fetch =>
    async () => {
      throw thrown;
    };

  test.each<[string, unknown, string]>([
    ["a text", "offline", ": offline."],
    ["nothing", undefined, "."],
    ["an object", { reason: "offline" }, "."],
    ["an error without words", new Error(""), "."],
    ["words that end in dots", new Error("It is gone..."), ": It is gone."],
    ["words of several lines", new Error("\n  fetch\n  failed\n"), ": fetch failed."],
    ["a code that is no text", Object.assign(new Error("fetch failed"), { code: 7 }), ": fetch failed."],
    [
      "a code above the deepest cause",
      Object.assign(new Error("fetch failed", { cause: new Error("why") }), { code: "EOUTER" }),
      ": EOUTER.",
    ],
  ])("because of %s says what is known", async (_, thrown, reason) => {
    const { error } = await call(throwing(thrown));

    expect(error).toMatchObject({ name: "ConnectionError", message: `No answer from ${API}${reason}` });
  });

  test.each([undefined, "ECONNRESET"])("keeps the cause, of code %s too", async (code) => {
    const cause = Object.assign(new Error("read"), { code });

    const { error } = await call(throwing(new Error("fetch failed", { cause })));

    expect(error).toMatchObject({
      message: `No answer from ${API}: ${code ?? "read"}.`,
      cause: { message: "fetch failed", cause: { message: "read", ...(code && { code }) } },
    });
  });

  test.each([undefined, {}, { status: 200 }, { status: "200", headers: new Headers() }])(
    "from a fetch that returns %o says so",
    async (returned) => {
      const { error } = await call(async () => returned as never);

      expect(error).toMatchObject({
        name: "ConnectionError",
        message: "The fetch option did not return a Response.",
      });
      expect(error).not.toHaveProperty("cause");
    },
  );
});
