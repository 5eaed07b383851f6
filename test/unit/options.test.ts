import { afterEach, describe, expect, test, vi } from "vitest";
import { ComplyCube, type ComplyCubeOptions, type RequestOptions } from "../../src/index.ts";

const TARGET = { appId: "com.myapp.demo.app" };

const answered = vi.fn(async (_url: string, _init: RequestInit) => new Response('{"token": "TOKEN"}'));

afterEach(() => {
  answered.mockClear();
  vi.unstubAllEnvs();
});

/** What no number option takes, and the error each gets. */
const notNumbers: [string, unknown, string][] = [
  ["-1", -1, "RangeError"],
  ["NaN", Number.NaN, "RangeError"],
  ["Infinity", Number.POSITIVE_INFINITY, "RangeError"],
  ["-Infinity", Number.NEGATIVE_INFINITY, "RangeError"],
  ["a fraction", 0.5, "RangeError"],
  ["2 ** 31", 2 ** 31, "RangeError"],
  ["Number.MAX_VALUE", Number.MAX_VALUE, "RangeError"],
  ["a string", "1000", "TypeError"],
  ["an empty string", "", "TypeError"],
  ["null", null, "TypeError"],
  ["a bigint", 1000n, "TypeError"],
  ["true", true, "TypeError"],
  ["an object", { valueOf: () => 1000 }, "TypeError"],
  ["an array", [1000], "TypeError"],
];

describe.each(["timeoutMs", "maxRetries"])("%s", (name) => {
  test.each(notNumbers)("refuses %s at construction", (_, value, kind) => {
    expect(() => client({ [name]: value })).toThrow(
      expect.objectContaining({ name: kind, message: named(name) }),
    );
  });

  test.each(notNumbers)("refuses %s at a call, with nothing sent", async (_, value, kind) => {
    const call = client().token.generate("CLIENT_ID", TARGET, { [name]: value });

    await expect(call).rejects.toMatchObject({ name: kind, message: named(name) });
    expect(answered).not.toHaveBeenCalled();
  });

  test.each([1, 2 ** 31 - 1, undefined])("takes %s", async (value) => {
    await expect(client({ [name]: value }).token.generate("CLIENT_ID", TARGET)).resolves.toBe("TOKEN");
    await expect(client().token.generate("CLIENT_ID", TARGET, { [name]: value })).resolves.toBe("TOKEN");
  });
});

describe("zero", () => {
  test("is refused as timeoutMs, which would end every attempt at once", async () => {
    expect(() => client({ timeoutMs: 0 })).toThrow(RangeError);
    await expect(client().token.generate("CLIENT_ID", TARGET, { timeoutMs: 0 })).rejects.toThrow(RangeError);
    expect(answered).not.toHaveBeenCalled();
  });

  test("as maxRetries means one attempt, at construction and at a call", async () => {
    const failing = vi.fn(async () => new Response(null, { status: 503 }));

    await expect(
      client({ maxRetries: 0, fetch: failing }).token.generate("CLIENT_ID", TARGET),
    ).rejects.toThrow();
    expect(failing).toHaveBeenCalledTimes(1);

    await expect(
      client({ fetch: failing }).token.generate("CLIENT_ID", TARGET, { maxRetries: 0 }),
    ).rejects.toThrow();
    expect(failing).toHaveBeenCalledTimes(2);
  });
});

describe("an option of the wrong kind", () => {
  test.each<[string, unknown]>([
    ["apiKey", 42],
    ["apiKey", {}],
    ["apiKey", true],
    ["baseUrl", 42],
    ["baseUrl", new URL("https://api.example.com")],
    ["baseUrl", "api.example.com"],
    ["baseUrl", ""],
    ["baseUrl", "http://api.example.com"],
    ["baseUrl", "http://localhost.example.com"],
    ["baseUrl", "http://127.0.0.1.example.com"],
    ["baseUrl", "ftp://localhost"],
    ["baseUrl", "https://user:password@api.example.com"],
    ["baseUrl", "https://api.example.com?region=eu"],
    ["baseUrl", "https://api.example.com#eu"],
    ["fetch", "fetch"],
    ["fetch", null],
    ["fetch", {}],
    ["onAttempt", "log"],
    ["onAttempt", null],
    ["allowAnyReferrer", "yes"],
    ["allowAnyReferrer", 1],
    ["allowAnyReferrer", null],
    ["dangerouslyAllowBrowser", "yes"],
    ["dangerouslyAllowBrowser", 1],
  ])("is refused by name: %s: %o", (name, value) => {
    expect(() => client({ [name]: value })).toThrow(
      expect.objectContaining({ name: "TypeError", message: named(name) }),
    );
  });

  test.each<[string, unknown]>([
    ["signal", null],
    ["signal", {}],
    ["signal", new AbortController()],
    ["signal", new EventTarget()],
    ["signal", { throwIfAborted() {} }],
    ["signal", { aborted: false, throwIfAborted() {}, addEventListener() {} }],
    ["signal", true],
    ["allowAnyReferrer", "yes"],
  ])("is refused by name at a call, with nothing sent: %s: %o", async (name, value) => {
    const call = client().token.generate("CLIENT_ID", TARGET, { [name]: value });

    await expect(call).rejects.toMatchObject({ name: "TypeError", message: named(name) });
    expect(answered).not.toHaveBeenCalled();
  });
});

describe("options", () => {
  test.each([null, "options", 42, [], () => {}])("refuse to be %o", async (options) => {
    expect(() => new ComplyCube(options as ComplyCubeOptions)).toThrow(/^options must be an object/);
    const call = client().token.generate("CLIENT_ID", TARGET, options as RequestOptions);
    await expect(call).rejects.toThrow(/^options must be an object/);
    expect(answered).not.toHaveBeenCalled();
  });

  test.each(["timeout", "retries", "maxretries", "apikey", "headers"])(
    "refuse an unknown field: %s",
    async (name) => {
      expect(() => client({ [name]: 1 })).toThrow(`unknown field "${name}"`);
      const call = client().token.generate("CLIENT_ID", TARGET, { [name]: 1 });
      await expect(call).rejects.toThrow(`unknown field "${name}"`);
      expect(answered).not.toHaveBeenCalled();
    },
  );

  test("refuse a field whose name is an API key, and do not show it", async () => {
    const field = { live_SECRET_KEY_1234: 1 };

    const call = client().token.generate("CLIENT_ID", field as never);

    expect(() => client(field)).toThrow(/^(?!.*SECRET).*an unknown field\. Known: /);
    await expect(call).rejects.toThrow(/^(?!.*SECRET).*an unknown field\. Known: /);
    expect(answered).not.toHaveBeenCalled();
  });

  test("are read once: what the caller changes later changes nothing", async () => {
    const options = { apiKey: "test_FIRST", fetch: answered };
    const complycube = new ComplyCube(options);

    options.apiKey = "test_SECOND";
    await complycube.token.generate("CLIENT_ID", TARGET);

    expect(answered.mock.calls[0]?.[1].headers).toMatchObject({ authorization: "test_FIRST" });
  });
});

describe("apiKey", () => {
  test("comes from COMPLYCUBE_API_KEY when it is left out", async () => {
    vi.stubEnv("COMPLYCUBE_API_KEY", "test_FROM_THE_ENVIRONMENT");

    await new ComplyCube({ fetch: answered }).token.generate("CLIENT_ID", TARGET);

    expect(answered.mock.calls[0]?.[1].headers).toMatchObject({ authorization: "test_FROM_THE_ENVIRONMENT" });
  });

  test.each(["", "  ", undefined])("is missed when the environment has %o", (value) => {
    vi.stubEnv("COMPLYCUBE_API_KEY", value);

    expect(() => new ComplyCube({ fetch: answered })).toThrow(/^apiKey is missing: .*COMPLYCUBE_API_KEY/);
  });
});

describe("baseUrl", () => {
  test.each([
    [undefined, "https://api.complycube.com/v1/tokens"],
    ["https://gateway.example.com/complycube/", "https://gateway.example.com/complycube/v1/tokens"],
    ["https://gateway.example.com:8443//", "https://gateway.example.com:8443/v1/tokens"],
    ["http://localhost:4010", "http://localhost:4010/v1/tokens"],
    ["http://127.0.0.1:4010", "http://127.0.0.1:4010/v1/tokens"],
    ["http://[::1]:4010", "http://[::1]:4010/v1/tokens"],
  ])("%s sends to %s", async (baseUrl, url) => {
    await client({ baseUrl }).token.generate("CLIENT_ID", TARGET);

    expect(answered.mock.calls[0]?.[0]).toBe(url);
  });

  test("comes from COMPLYCUBE_BASE_URL when it is left out", async () => {
    vi.stubEnv("COMPLYCUBE_BASE_URL", "https://gateway.example.com");

    await client().token.generate("CLIENT_ID", TARGET);

    expect(answered.mock.calls[0]?.[0]).toBe("https://gateway.example.com/v1/tokens");
  });
});

test("every request is told not to follow a redirect", async () => {
  await client().token.generate("CLIENT_ID", TARGET);

  expect(answered.mock.calls[0]?.[1]).toMatchObject({ method: "POST", redirect: "manual" });
});

function client(options: Record<string, unknown> = {}): ComplyCube {
  return new ComplyCube({ apiKey: "test_KEY", rateLimit: false, fetch: answered, ...options });
}

function named(name: string) {
  return expect.stringMatching(new RegExp(`^${name} `));
}
