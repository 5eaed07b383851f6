import { setupServer } from "msw/node";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { createTokensFetch } from "../../src/fetch.ts";
import { createTokenHandler } from "../../src/handler/index.ts";
import {
  type BatchResult,
  ComplyCube,
  type ComplyCubeOptions,
  type RequestOptions,
} from "../../src/index.ts";
import { handleGenerateToken } from "../../src/msw.ts";
import { redisRateLimit } from "../../src/redis/index.ts";
import { KEY, TOKEN } from "../support/leak-scan.ts";
import { caught, settle, TARGET } from "../support/settle.ts";

const answered = vi.fn(async (_url: string, _init: RequestInit) => Response.json({ token: TOKEN }));

afterEach(() => {
  answered.mockClear();
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

const MISSING = /^apiKey is missing\. .*COMPLYCUBE_API_KEY/;

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
    const error = caught(() => client({ [name]: value }));

    expect(error).toMatchObject({ name: kind, message: named(name) });
  });

  test.each(notNumbers)("refuses %s at a call, with nothing sent", async (_, value, kind) => {
    const { error } = await settle(client(), { [name]: value });

    expect(error).toMatchObject({ name: kind, message: named(name) });
    expect(answered).not.toHaveBeenCalled();
  });

  test.each([1, 2 ** 31 - 1, undefined])("takes %s", async (value) => {
    expect(await settle(client({ [name]: value }))).toEqual({ token: TOKEN });
    expect(await settle(client(), { [name]: value })).toEqual({ token: TOKEN });
  });
});

describe("an option that is left out", () => {
  test("of the client is 2 for maxRetries", async () => {
    const failing = vi.fn(async () => new Response(null, { status: 503, headers: { "retry-after": "0" } }));

    const { error } = await settle(client({ fetch: failing }));

    expect(error).toMatchObject({ status: 503, attempts: 3 });
    expect(failing).toHaveBeenCalledTimes(3);
  });

  test("of the client is 10 s for timeoutMs", async () => {
    vi.useFakeTimers();
    const call = settle(client({ fetch: () => new Promise(() => {}), maxRetries: 0 }));

    await vi.advanceTimersByTimeAsync(10_000);

    expect((await call).error).toMatchObject({
      name: "TimeoutError",
      timeoutMs: 10_000,
      message: "No complete answer within 10000 ms. Raise timeoutMs if the network is known to be slow.",
    });
  });

  test("of a call is that of the client", async () => {
    const complycube = client({
      fetch: () => new Promise(() => {}),
      timeoutMs: 20,
      maxRetries: 0,
      allowAnyReferrer: true,
    });

    const call = complycube.token.generate("CLIENT_ID", { referrer: "<all_urls>" }, {});

    await expect(call).rejects.toMatchObject({ name: "TimeoutError", timeoutMs: 20, attempts: 1 });
  });
});

describe("zero", () => {
  test("is refused as timeoutMs, which would end every attempt at once", async () => {
    expect(caught(() => client({ timeoutMs: 0 }))).toMatchObject({
      name: "RangeError",
      message: "timeoutMs must be a whole number from 1 to 2147483647, not 0.",
    });
    expect((await settle(client(), { timeoutMs: 0 })).error).toBeInstanceOf(RangeError);
    expect(answered).not.toHaveBeenCalled();
  });

  test("as maxRetries means one attempt, at construction and at a call", async () => {
    const failing = vi.fn(async () => new Response(null, { status: 503 }));

    const ofClient = await settle(client({ maxRetries: 0, fetch: failing }));
    expect(ofClient.error).toMatchObject({ status: 503, attempts: 1 });
    expect(failing).toHaveBeenCalledTimes(1);

    const ofCall = await settle(client({ fetch: failing }), { maxRetries: 0 });
    expect(ofCall.error).toMatchObject({ status: 503, attempts: 1 });
    expect(failing).toHaveBeenCalledTimes(2);
  });
});

describe("an option of the wrong kind", () => {
  const HTTPS =
    "must start with https://, because the API key is sent there. http:// is for localhost only; for a mock elsewhere, " +
    "set dangerouslyAllowPlainHttp or COMPLYCUBE_DANGEROUSLY_ALLOW_PLAIN_HTTP=true.";
  const NO_URL = 'is not a URL. It looks like "https://gateway.example.com".';
  const NO_KEY = "is missing. Pass { apiKey } or set the environment variable COMPLYCUBE_API_KEY.";
  const NO_CHARACTER_OF_A_KEY =
    "has a space, a line break or another character that no key has. Copy it again.";

  test.each<[string, unknown, string]>([
    ["apiKey", 42, "must be a string, not a number."],
    ["apiKey", {}, "must be a string, not an object."],
    ["apiKey", true, "must be a string, not a boolean."],
    ["apiKey", "", NO_KEY],
    ["apiKey", " \n", NO_KEY],
    ["apiKey", "test_KEY KEY", NO_CHARACTER_OF_A_KEY],
    ["apiKey", "\ntest_KEY", NO_CHARACTER_OF_A_KEY],
    ["apiKey", "test_KEY\r\n", NO_CHARACTER_OF_A_KEY],
    ["apiKey", "test_KĘY", NO_CHARACTER_OF_A_KEY],
    ["apiKey", "test_bearer KEY", NO_CHARACTER_OF_A_KEY],
    ["baseUrl", 42, "must be a string, not a number."],
    ["baseUrl", new URL("https://api.example.com"), "must be a string, not an object."],
    ["baseUrl", "api.example.com", NO_URL],
    ["baseUrl", "", NO_URL],
    ["baseUrl", "http://api.example.com", HTTPS],
    ["baseUrl", "http://localhost.example.com", HTTPS],
    ["baseUrl", "http://notlocalhost", HTTPS],
    ["baseUrl", "http://127.0.0.1.example.com", HTTPS],
    ["baseUrl", "ftp://localhost", HTTPS],
    ["baseUrl", "https://user@api.example.com", "must not hold a user name or password."],
    ["baseUrl", "https://:password@api.example.com", "must not hold a user name or password."],
    ["baseUrl", "https://api.example.com?region=eu", "must not have a query or a fragment."],
    ["baseUrl", "https://api.example.com#eu", "must not have a query or a fragment."],
    ["fetch", "fetch", "must be a function, not a string."],
    ["fetch", null, "must be a function, not null."],
    ["fetch", {}, "must be a function, not an object."],
    ["onAttempt", "log", "must be a function, not a string."],
    ["onAttempt", null, "must be a function, not null."],
    ["allowAnyReferrer", "yes", "must be true or false, not a string."],
    ["allowReferrerPath", "yes", "must be true or false, not a string."],
    ["allowReferrerPath", null, "must be true or false, not null."],
    ["allowAnyReferrer", 1, "must be true or false, not a number."],
    ["allowAnyReferrer", null, "must be true or false, not null."],
    ["dangerouslyAllowBrowser", "yes", "must be true or false, not a string."],
    ["dangerouslyAllowBrowser", 1, "must be true or false, not a number."],
    ["dangerouslyAllowPlainHttp", "true", "must be true or false, not a string."],
    ["dangerouslyAllowPlainHttp", null, "must be true or false, not null."],
    ["timeoutMs", [1_000], "must be a number, not an array."],
  ])("is refused by name: %s: %o", (name, value, problem) => {
    const error = caught(() => client({ [name]: value }));

    expect(error).toMatchObject({ name: "TypeError", message: `${name} ${problem}` });
  });

  const NO_SIGNAL = "must be an AbortSignal. It is the `signal` of an AbortController.";

  test.each<[string, unknown, string]>([
    ["signal", null, NO_SIGNAL],
    ["signal", {}, NO_SIGNAL],
    ["signal", new AbortController(), NO_SIGNAL],
    ["signal", new EventTarget(), NO_SIGNAL],
    ["signal", { throwIfAborted() {} }, NO_SIGNAL],
    ["signal", { aborted: false, throwIfAborted() {}, addEventListener() {} }, NO_SIGNAL],
    ["signal", { aborted: false, throwIfAborted() {}, removeEventListener() {} }, NO_SIGNAL],
    ["signal", { aborted: false, addEventListener() {}, removeEventListener() {} }, NO_SIGNAL],
    ["signal", { throwIfAborted() {}, addEventListener() {}, removeEventListener() {} }, NO_SIGNAL],
    ["signal", true, NO_SIGNAL],
    ["allowAnyReferrer", "yes", "must be true or false, not a string."],
    ["allowReferrerPath", "yes", "must be true or false, not a string."],
    ["allowReferrerPath", null, "must be true or false, not null."],
  ])("is refused by name at a call, with nothing sent: %s: %o", async (name, value, problem) => {
    const { error } = await settle(client(), { [name]: value });

    expect(error).toMatchObject({ name: "TypeError", message: `${name} ${problem}` });
    expect(answered).not.toHaveBeenCalled();
  });
});

describe("options", () => {
  test.each([null, "options", 42, [], () => {}])("refuse to be %o", async (options) => {
    const ofClient = caught(() => new ComplyCube(options as ComplyCubeOptions));
    const { error: ofCall } = await settle(client(), options as RequestOptions);

    expect(ofClient).toMatchObject({ name: "TypeError", message: named("options") });
    expect(ofCall).toMatchObject({ name: "TypeError", message: named("options") });
    expect(answered).not.toHaveBeenCalled();
  });

  test.each(["timeout", "retries", "maxretries", "apikey", "headers"])(
    "refuse an unknown field: %s",
    async (name) => {
      const message = expect.stringContaining(`unknown field "${name}"`);

      expect(caught(() => client({ [name]: 1 }))).toMatchObject({ name: "TypeError", message });
      expect((await settle(client(), { [name]: 1 })).error).toMatchObject({ name: "TypeError", message });
      expect(answered).not.toHaveBeenCalled();
    },
  );

  test.each(["live_SECRET_KEY_1234", "a SECRET with spaces", `SECRET${"x".repeat(40)}`])(
    "refuse a field whose name is a value in the wrong place, and do not show it: %s",
    async (name) => {
      const field = { [name]: 1 };

      const call = client().token.generate("CLIENT_ID", field as never);

      expect(() => client(field)).toThrow(/^(?!.*SECRET).*an unknown field\. Known: /);
      await expect(call).rejects.toThrow(/^(?!.*SECRET).*an unknown field\. Known: /);
      expect(answered).not.toHaveBeenCalled();
    },
  );

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

    await settle(new ComplyCube({ fetch: answered }));

    expect(answered.mock.calls[0]?.[1].headers).toMatchObject({ authorization: "test_FROM_THE_ENVIRONMENT" });
  });

  test.each(["", "  ", undefined])("is missed by a call when the environment has %o", async (value) => {
    vi.stubEnv("COMPLYCUBE_API_KEY", value);
    const complycube = new ComplyCube({ fetch: answered });

    const { error } = await settle(complycube);

    expect(error).toMatchObject({ name: "TypeError", message: expect.stringMatching(MISSING) });
    expect(answered).not.toHaveBeenCalled();
  });

  test("is taken from the environment by the call when it was not there before", async () => {
    vi.stubEnv("COMPLYCUBE_API_KEY", undefined);
    const complycube = new ComplyCube({ fetch: answered });
    vi.stubEnv("COMPLYCUBE_API_KEY", KEY);

    expect(await settle(complycube)).toEqual({ token: TOKEN });
    expect(answered.mock.calls[0]?.[1].headers).toMatchObject({ authorization: KEY });
  });

  test("of undefined is missed at construction, where the environment has none", () => {
    vi.stubEnv("COMPLYCUBE_API_KEY", undefined);

    expect(caught(() => new ComplyCube({ apiKey: undefined }))).toMatchObject({
      name: "TypeError",
      message: expect.stringMatching(MISSING),
    });
  });

  test("in the environment that cannot be one is refused at construction", () => {
    vi.stubEnv("COMPLYCUBE_API_KEY", "Bearer test_KEY");

    expect(caught(() => new ComplyCube())).toBeInstanceOf(TypeError);
  });

  test("is missed when the environment may not be read, as in Deno without permission", async () => {
    vi.stubGlobal("process", {
      versions: process.versions,
      get env() {
        throw new Error("NotCapable");
      },
    });

    const { error } = await settle(new ComplyCube({ fetch: answered }));
    vi.unstubAllGlobals(); // Before anything else wants the environment.

    expect(error).toMatchObject({ message: expect.stringMatching(MISSING) });
  });

  test("and baseUrl given, the environment is not read, which Deno asks a person about", () => {
    const read = vi.fn(() => ({}));
    vi.stubGlobal("process", {
      versions: process.versions,
      get env() {
        return read();
      },
    });

    const complycube = new ComplyCube({ apiKey: KEY, baseUrl: "https://api.example.com" });
    vi.unstubAllGlobals();

    expect(complycube).toBeInstanceOf(ComplyCube);
    expect(read).not.toHaveBeenCalled();
  });

  test.each([`"${KEY}"`, `'${KEY}'`, `${KEY}"`])(
    "in quotes is refused, and the message says so",
    (apiKey) => {
      expect(caught(() => client({ apiKey }))).toMatchObject({
        name: "TypeError",
        message: expect.stringMatching(/^apiKey is in quotes\. Remove the quotes/),
      });
    },
  );

  test("that a function does not return is missed, and the message names the variable", async () => {
    const { error } = await settle(client({ apiKey: () => undefined as unknown as string }));

    expect(error).toMatchObject({
      name: "TypeError",
      message: expect.stringMatching(/^The result of the apiKey function is missing\. .*COMPLYCUBE_API_KEY/),
    });
  });

  test("that a function fails to get is a TypeError with the failure as its cause, and without the key", async () => {
    const apiKey = () => Promise.reject(new Error(`the vault is sealed for ${KEY}`));

    const { error } = await settle(client({ apiKey }));

    expect(error).toMatchObject({
      name: "TypeError",
      message: "The apiKey function threw instead of returning a key.",
      cause: { message: "the vault is sealed for [redacted]" },
    });
    expect(answered).not.toHaveBeenCalled();
  });

  test("with quotes within it is taken as it is", async () => {
    await settle(client({ apiKey: "test_a\"b'c`d" }));

    expect(answered.mock.calls[0]?.[1].headers).toMatchObject({ authorization: "test_a\"b'c`d" });
  });

  test("of null is not taken from the environment instead", () => {
    vi.stubEnv("COMPLYCUBE_API_KEY", KEY);

    const error = caught(() => new ComplyCube({ apiKey: null as never }));

    expect(error).toMatchObject({ message: expect.stringMatching(MISSING) });
  });

  test("with Bearer in front of it is refused, and the message says so", () => {
    for (const apiKey of [`Bearer ${KEY}`, `bearer\t${KEY}`]) {
      const error = caught(() => client({ apiKey }));

      expect(error).toMatchObject({
        name: "TypeError",
        message: expect.stringContaining('without "Bearer"'),
      });
    }
  });
});

describe("baseUrl", () => {
  test.each([
    [undefined, "https://api.complycube.com/v1/tokens"],
    ["https://gateway.example.com/complycube/", "https://gateway.example.com/complycube/v1/tokens"],
    ["https://gateway.example.com:8443//", "https://gateway.example.com:8443/v1/tokens"],
    ["http://localhost:4010", "http://localhost:4010/v1/tokens"],
    ["http://api.localhost:4010", "http://api.localhost:4010/v1/tokens"],
    ["http://127.0.0.1:4010", "http://127.0.0.1:4010/v1/tokens"],
    ["http://127.100.2.30:4010", "http://127.100.2.30:4010/v1/tokens"],
    ["http://[::1]:4010", "http://[::1]:4010/v1/tokens"],
  ])("%s sends to %s", async (baseUrl, url) => {
    await settle(client({ baseUrl }));

    expect(answered.mock.calls[0]?.[0]).toBe(url);
  });

  test("comes from COMPLYCUBE_BASE_URL when it is left out", async () => {
    vi.stubEnv("COMPLYCUBE_BASE_URL", "https://gateway.example.com");

    await settle(client());

    expect(answered.mock.calls[0]?.[0]).toBe("https://gateway.example.com/v1/tokens");
  });

  test("is the API's own when COMPLYCUBE_BASE_URL is empty", async () => {
    vi.stubEnv("COMPLYCUBE_BASE_URL", "");

    await settle(client());

    expect(answered.mock.calls[0]?.[0]).toBe("https://api.complycube.com/v1/tokens");
  });
});

describe("dangerouslyAllowPlainHttp", () => {
  const MOCK = "http://mock:4010";
  const ALLOW = "COMPLYCUBE_DANGEROUSLY_ALLOW_PLAIN_HTTP";
  const LIVE_KEY = "live_PLAIN_HTTP_KEY";
  const withTestKey = (options: ComplyCubeOptions = {}) =>
    client({ apiKey: "test_PLAIN_HTTP_KEY", ...options });

  test.each([MOCK, "http://host.docker.internal:4010", "http://192.0.2.1:4010"])(
    "lets a call reach %s",
    async (baseUrl) => {
      await settle(withTestKey({ baseUrl, dangerouslyAllowPlainHttp: true }));

      expect(answered.mock.calls[0]?.[0]).toBe(`${baseUrl}/v1/tokens`);
    },
  );

  test.each(["true", "1"])("comes from the environment when it is left out: %s", async (value) => {
    vi.stubEnv("COMPLYCUBE_BASE_URL", MOCK);
    vi.stubEnv(ALLOW, value);

    await settle(withTestKey());

    expect(answered.mock.calls[0]?.[0]).toBe(`${MOCK}/v1/tokens`);
  });

  test.each(["", "0", "false", "yes please", "untrue", "true enough"])(
    "is not switched on by the environment's %j",
    (value) => {
      vi.stubEnv(ALLOW, value);

      expect(caught(() => withTestKey({ baseUrl: MOCK }))).toMatchObject({
        name: "TypeError",
        message: expect.stringMatching(/^baseUrl .*dangerouslyAllowPlainHttp/),
      });
    },
  );

  test("of false wins over the environment", () => {
    vi.stubEnv(ALLOW, "true");

    const error = caught(() => withTestKey({ baseUrl: MOCK, dangerouslyAllowPlainHttp: false }));

    expect(error).toMatchObject({ name: "TypeError", message: named("baseUrl") });
  });

  test("allows http and https, and no other scheme", () => {
    const error = caught(() => withTestKey({ baseUrl: "ftp://mock", dangerouslyAllowPlainHttp: true }));

    expect(error).toMatchObject({ name: "TypeError", message: named("baseUrl") });
  });

  test("does not let a live key out", async () => {
    const options = { baseUrl: MOCK, dangerouslyAllowPlainHttp: true };
    const message =
      "apiKey is a live key, which is not sent over plain http to another host. Use a test key, or https.";

    expect(caught(() => withTestKey({ ...options, apiKey: LIVE_KEY }))).toMatchObject({
      name: "TypeError",
      message,
    });
    const ofFunction = await settle(withTestKey({ ...options, apiKey: () => LIVE_KEY }));
    expect(ofFunction.error).toMatchObject({ name: "TypeError", message });
    expect(caught(() => createTokensFetch({ ...options, apiKey: LIVE_KEY }))).toMatchObject({
      name: "TypeError",
      message,
    });
    expect(answered).not.toHaveBeenCalled();
  });

  test("is not needed for a live key on this machine or over https", async () => {
    for (const baseUrl of ["http://localhost:4010", "https://mock:4010"]) {
      const { error } = await settle(
        withTestKey({ baseUrl, apiKey: LIVE_KEY, dangerouslyAllowPlainHttp: true }),
      );

      expect(error).toBeUndefined();
    }
  });

  test("lets createTokensFetch reach a mock", async () => {
    const send = vi.fn(async (_: Request) => Response.json({ token: TOKEN }));
    const plain = createTokensFetch({
      apiKey: "test_PLAIN_HTTP_KEY",
      baseUrl: MOCK,
      dangerouslyAllowPlainHttp: true,
      fetch: send,
    });

    await plain.POST("/v1/tokens", { body: { clientId: "CLIENT_ID", appId: "com.example.app" } });

    expect(send.mock.calls[0]?.[0].url).toBe(`${MOCK}/v1/tokens`);
    expect(caught(() => createTokensFetch({ apiKey: "test_PLAIN_HTTP_KEY", baseUrl: MOCK }))).toMatchObject({
      message: named("baseUrl"),
    });
  });
});

describe("fetch", () => {
  test("is the global one of the moment, so that interceptors installed later are used", async () => {
    const complycube = client({ fetch: undefined, baseUrl: "https://api.localhost", maxRetries: 0 });
    const interceptor = setupServer(handleGenerateToken({ body: { token: TOKEN } }));
    interceptor.listen();
    onTestFinished(() => interceptor.close());

    expect(await settle(complycube)).toEqual({ token: TOKEN });
  });
});

test("every request is told not to follow a redirect, and has these headers and no others", async () => {
  await settle(client());

  expect(answered.mock.calls[0]?.[1]).toMatchObject({
    method: "POST",
    redirect: "manual",
    cache: "no-store",
  });
  expect(answered.mock.calls[0]?.[1].headers).toEqual({
    authorization: KEY,
    "content-type": "application/json",
  });
});

test.each([
  ["has no Request", undefined],
  ["has a Request without it, as workerd had", class {}],
])("the option that keeps a token out of caches is left out where the runtime %s", async (_, Request) => {
  vi.stubGlobal("Request", Request);
  const settled = await settle(client());
  vi.unstubAllGlobals();

  expect(settled).toEqual({ token: TOKEN });
  expect(answered.mock.calls[0]?.[1]).not.toHaveProperty("cache");
});

function client(options: Record<string, unknown> = {}): ComplyCube {
  return new ComplyCube({ apiKey: KEY, rateLimit: false, fetch: answered, ...options });
}

function named(name: string) {
  return expect.stringMatching(new RegExp(`^${name} `));
}

describe("a polluted Object.prototype", () => {
  const elsewhere = vi.fn(async () => Response.json({ token: "STOLEN" }));

  test.each<[string, unknown]>([
    ["baseUrl", "https://attacker.example"],
    ["timeoutMs", 0],
    ["maxRetries", -1],
    ["rateLimit", "nonsense"],
    ["allowAnyReferrer", true],
    ["onAttempt", elsewhere],
    ["dangerouslyAllowBrowser", "nonsense"],
    ["dangerouslyAllowPlainHttp", "nonsense"],
    ["signal", AbortSignal.abort("polluted")],
    ["headers", { "x-injected": "1" }],
    ["x-injected", "1"],
  ])("with %s changes nothing for a client and its calls", async (name, value) => {
    const [token, refusal] = await polluted(name, value, async () => {
      const complycube = new ComplyCube({ apiKey: KEY, fetch: answered });
      const refused = complycube.token.generate("CLIENT_ID", { referrer: "<all_urls>" }, {});
      return Promise.all([
        complycube.token.generate("CLIENT_ID", TARGET, {}),
        refused.catch((error: unknown) => error),
      ]);
    });

    expect(token).toBe(TOKEN);
    expect(refusal).toBeInstanceOf(TypeError);
    const headers = { authorization: KEY, "content-type": "application/json" };
    expect(answered).toHaveBeenCalledWith(
      "https://api.complycube.com/v1/tokens",
      expect.objectContaining({ headers }),
    );
    expect(elsewhere).not.toHaveBeenCalled();
  });

  test("with fetch does not send", async () => {
    const error = await polluted("fetch", elsewhere, async () => {
      const complycube = new ComplyCube({ apiKey: KEY, baseUrl: "http://127.0.0.1:1", maxRetries: 0 });
      return complycube.token.generate("CLIENT_ID", TARGET).catch((error) => error);
    });

    expect(error).toMatchObject({ code: "connection" });
    expect(elsewhere).not.toHaveBeenCalled();
  });

  test.each<[string, unknown]>([
    ["signal", AbortSignal.abort("polluted")],
    ["concurrency", 0],
    ["perSecond", 0],
    ["maxQueue", -1],
    ["key", 42],
    ["fallbackPerSecond", -1],
    ["onError", "nonsense"],
    ["allowedOrigins", "nonsense"],
    ["timeoutMs", -1],
  ])("with %s changes nothing for a batch, a limit in Redis and the handler", async (name, value) => {
    const store = { defineCommand() {}, status: "ready", connect() {}, evalsha() {}, eval() {} } as never;
    const target = { appId: "com.example.app" };

    const [result] = await polluted(name, value, async () => {
      const complycube = new ComplyCube({ apiKey: KEY, fetch: answered, rateLimit: { perSecond: 10 } });
      redisRateLimit({ store, perSecond: 10 });
      createTokenHandler({ complycube, target, authenticate: () => undefined });
      const rows = [{ clientId: "CLIENT_ID", ...target }];
      const results: BatchResult[] = [];
      for await (const each of complycube.token.generateMany(rows, {})) results.push(each);
      return results;
    });

    expect(result?.token).toBe(TOKEN);
  });

  test("with apiKey gives no key", async () => {
    vi.stubEnv("COMPLYCUBE_API_KEY", undefined);

    const { error } = await polluted("apiKey", KEY, () => settle(new ComplyCube({ fetch: answered })));

    expect(error).toMatchObject({ message: expect.stringMatching(MISSING) });
  });

  test("with baseUrl or fetch changes nothing for createTokensFetch", async () => {
    const body = { clientId: "CLIENT_ID", appId: "com.example.app" };
    const sentTo: string[] = [];
    const fetch = async (request: Request) => {
      sentTo.push(request.url);
      return Response.json({ token: TOKEN });
    };

    await polluted("baseUrl", "https://attacker.example", () =>
      createTokensFetch({ apiKey: KEY, fetch }).POST("/v1/tokens", { body }),
    );
    const unsent = polluted("fetch", elsewhere, () =>
      createTokensFetch({ apiKey: KEY, baseUrl: "http://127.0.0.1:1" }).POST("/v1/tokens", { body }),
    );

    await expect(unsent).rejects.toThrow("fetch failed");
    expect(sentTo).toEqual(["https://api.complycube.com/v1/tokens"]);
    expect(elsewhere).not.toHaveBeenCalled();
  });
});

/** Runs with something on `Object.prototype`, and takes it off again whatever happens. */
async function polluted<T>(name: string, value: unknown, run: () => Promise<T>): Promise<T> {
  Object.defineProperty(Object.prototype, name, {
    value,
    configurable: true,
    writable: true,
    enumerable: true,
  });
  try {
    return await run();
  } finally {
    delete (Object.prototype as Record<string, unknown>)[name];
  }
}
