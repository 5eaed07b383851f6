import { once } from "node:events";
import { createServer } from "node:http";
import https from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";
import { ComplyCube as OfficialClient } from "@complycube/api";
import { describe, expect, test, vi } from "vitest";
import { ComplyCube, type ComplyCubeOptions, TimeoutError } from "../../src/index.ts";
import { listen } from "../support/listen.ts";
import { settle, TARGET } from "../support/settle.ts";

const local = (options: ComplyCubeOptions) =>
  new ComplyCube({ apiKey: "test_UNIT_KEY", rateLimit: false, maxRetries: 0, ...options });

/** The error of a call that is answered so, with a key of that kind. */
async function refusal(status: number, body: object | undefined, apiKey = "test_UNIT_KEY"): Promise<Error> {
  const fetch = async () => new Response(body && JSON.stringify(body), { status });
  const { error } = await settle(local({ apiKey, fetch, baseUrl: "https://api.example.com/gateway" }));
  return error as Error;
}

describe("generate", () => {
  test("works detached from its client", async () => {
    const { generate } = local({ fetch: async () => Response.json({ token: "TOKEN" }) }).token;

    await expect(generate("CLIENT_ID", TARGET)).resolves.toBe("TOKEN");
  });

  test("can be spied on", async () => {
    const complycube = local({});
    vi.spyOn(complycube.token, "generate").mockResolvedValue("MOCKED");

    await expect(complycube.token.generate("CLIENT_ID", TARGET)).resolves.toBe("MOCKED");
  });
});

describe("new ComplyCube", () => {
  test.each<[string, unknown]>([
    ["a key alone", "test_UNIT_KEY"],
    ["null", null],
  ])("called with %s shows the call, and not the key", (_, options) => {
    expect(() => new ComplyCube(options as ComplyCubeOptions)).toThrow(
      /^options must be an object, not [a-z ]+\. The call is new ComplyCube\(\{ apiKey: process\.env\.COMPLYCUBE_API_KEY \}\)\.$/,
    );
  });
});

describe("a rate limiter of your own", () => {
  test.each<[string, () => Promise<Response>]>([
    ["a token", async () => Response.json({ token: "TOKEN" })],
    ["a refusal", async () => new Response("{}", { status: 400 })],
    ["no answer", () => Promise.reject(new Error("offline"))],
  ])(
    "hears once of a request that brings %s: when it was sent, and how late it may have left",
    async (_, fetch) => {
      const sent = vi.fn();
      const startedAt = performance.now();

      await settle(local({ fetch, rateLimit: { acquire: async () => {}, sent } }));

      expect(sent).toHaveBeenCalledOnce();
      const [sentAt, lateMs] = sent.mock.lastCall as [number, number];
      expect(sentAt).toBeGreaterThanOrEqual(startedAt);
      expect(lateMs).toBeGreaterThanOrEqual(0);
      expect(sentAt + lateMs).toBeLessThanOrEqual(performance.now());
    },
  );

  test("hears over Node.js's own http when the request left, before it is answered", async () => {
    const late: number[] = [];
    let arrived = 0;
    const server = await listen((request, response) => {
      request.resume().on("end", async () => {
        arrived++;
        await vi.waitUntil(() => late.length === arrived);
        response.end('{"token":"TOKEN"}');
      });
    });
    const rateLimit = {
      acquire: async () => {},
      sent: (_: number, lateMs: number) => void late.push(lateMs),
    };
    const client = new ComplyCube({ apiKey: "test_KEY", baseUrl: server.url, rateLimit });

    await client.token.generate("CLIENT_ID", { appId: "com.example.app" });
    const call = client.token.generate("CLIENT_ID", { appId: "com.example.app" });
    for (let i = 0; i < 20; i++) await Promise.resolve(); // The request is made, and leaves in a later tick.
    for (const busySince = performance.now(); performance.now() - busySince < 300; );
    await call;
    await server.close();

    expect(late[1]).toBeGreaterThan(290);
  });

  test("hears nothing of a request that was ended before it left, though Node.js 22 says that it has finished", async () => {
    const server = createTcpServer().listen(0, "127.0.0.1"); // It takes no part in any handshake.
    await once(server, "listening");
    const requests = vi.spyOn(https, "request");
    const sent = vi.fn();
    const call = new ComplyCube({
      apiKey: "test_KEY",
      baseUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      rateLimit: { acquire: async () => {}, sent },
    }).token.generate("CLIENT_ID", { appId: "com.example.app" }, { timeoutMs: 100, maxRetries: 0 });

    await expect(call).rejects.toThrow(TimeoutError);
    requests.mock.results[0]?.value.emit("finish");
    server.close();

    expect(sent).not.toHaveBeenCalled();
  });

  test("hears over a fetch how late the answer was", async () => {
    const sent = vi.fn();
    let soonerThanAnswer: boolean | undefined;
    const server = await listen((request, response) => {
      request.resume().on("end", async () => {
        await delay(100);
        soonerThanAnswer = sent.mock.calls.length > 0;
        response.end('{"token":"TOKEN"}');
      });
    });
    const rateLimit = { acquire: async () => {}, sent };
    const client = new ComplyCube({ apiKey: "test_KEY", baseUrl: server.url, rateLimit, fetch });

    await client.token.generate("CLIENT_ID", { appId: "com.example.app" });
    await server.close();

    expect(soonerThanAnswer).toBe(false);
    expect(sent.mock.lastCall?.[1]).toBeGreaterThan(90);
  });

  test("hears nothing of an attempt that it let wait and fail", async () => {
    const sent = vi.fn();
    const acquire = () => Promise.reject(new Error("closed"));

    await settle(local({ fetch: vi.fn(), rateLimit: { acquire, sent } }));

    expect(sent).not.toHaveBeenCalled();
  });
});

describe("preconnect", () => {
  test("opens the connection that the next call uses", async () => {
    let connections = 0;
    const api = createServer((_, response) => response.end('{"token":"TOKEN"}'));
    api.on("connection", () => connections++).listen(0, "127.0.0.1");
    await once(api, "listening");
    const complycube = local({ baseUrl: `http://127.0.0.1:${(api.address() as AddressInfo).port}` });

    complycube.preconnect();
    await expect.poll(() => connections).toBe(1);
    const token = await complycube.token.generate("CLIENT_ID", TARGET);
    api.close().closeAllConnections();

    expect(token).toBe("TOKEN");
    expect(connections).toBe(1);
  });

  test("does nothing over a fetch", () => {
    const fetch = vi.fn();

    local({ fetch }).preconnect();

    expect(fetch).not.toHaveBeenCalled();
  });
});

describe("what only the official client has", () => {
  const others = Object.keys(new OfficialClient({ apiKey: "test_KEY" })).filter(
    (name) => name !== "token" && name !== "axiosInstance",
  );

  test.each(others)("%s says to keep @complycube/api", (name) => {
    const complycube = local({}) as unknown as Record<string, unknown>;

    expect(() => complycube[name]).toThrow(
      new RegExp(`^complycube\\.${name} does not exist: .* Keep a client of @complycube/api for it\\.$`),
    );
  });

  test("is in no listing, no copy and no print", () => {
    const complycube = local({});

    expect(Object.keys({ ...complycube })).toEqual(["token"]);
    expect(JSON.stringify(complycube)).toBe('{"token":{}}');
    expect(inspect(complycube, { depth: 5 })).not.toMatch(/check|client/);
  });
});

describe("why the API refused", () => {
  test.each([401, 403])(
    "%i without a body says of which kind the key is, and no more of it",
    async (status) => {
      const said = `The API answered ${status} without saying why. Check the key: it is`;

      expect((await refusal(status, undefined)).message).toBe(`${said} a test_ key.`);
      expect((await refusal(status, {}, "live_UNIT_KEY")).message).toBe(`${said} a live_ key.`);
      expect((await refusal(status, {}, "other")).message).toBe(`${said} neither a live_ nor a test_ key.`);
    },
  );

  test("401 with words of the API keeps to them", async () => {
    expect((await refusal(401, { message: "The key is revoked" })).message).toBe("The key is revoked");
  });

  test.each([
    [400, { message: "'clientId' is invalid", param: "clientId" }],
    [404, { message: "Invalid client id '123456789'", type: "resource_not_found" }],
  ])("%i about the client says that a test key does not know a live client", async (status, body) => {
    const { message } = await refusal(status, body);

    expect(message).toBe(
      `${body.message} (A client made with a live key is unknown to a test key, and the reverse; this is a test_ key.)`,
    );
  });

  test("400 about something else says no more than the API", async () => {
    expect((await refusal(400, { message: "no", param: "referrer" })).message).toBe("no");
  });

  test.each([undefined, { message: "no Route matched" }])("404 of %o shows what was asked", async (body) => {
    expect((await refusal(404, body)).message).toMatch(
      / \(The request was POST https:\/\/api\.example\.com\/gateway\/v1\/tokens: check baseUrl\.\)$/,
    );
  });
});

describe("why no answer came", () => {
  const failing = (thrown: unknown) => {
    const fetch = vi.fn(async () => {
      throw thrown;
    });
    return { fetch, call: settle(local({ fetch, maxRetries: 2 })) };
  };
  const named = (name: string, message: string) => Object.assign(new Error(message), { name });
  const noBackoff = () => vi.spyOn(Math, "random").mockReturnValue(0);

  test("is the deepest code", async () => {
    noBackoff();
    const cause = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });

    const { error } = await failing(new TypeError("fetch failed", { cause })).call;

    expect(error).toHaveProperty("message", "No answer from https://api.complycube.com: ECONNREFUSED.");
  });

  test("is what the deepest cause says where there is no code, as on Deno, on one line and cut", async () => {
    noBackoff();
    const cause = new Error(`tcp connect error:\n  Connection refused (os error 111) ${"x".repeat(5_000)}`);

    const { error } = await failing(new TypeError("error sending request", { cause })).call;

    const { message } = error as Error;
    expect(message).toMatch(
      /^No answer from https:\/\/api\.complycube\.com: tcp connect error: Connection refused \(os error 111\) x+\.$/,
    );
    expect(message.length).toBeLessThan(400);
  });

  test.each(["NotCapable", "PermissionDenied"])(
    "a missing permission, %s, is named and not tried again",
    async (name) => {
      const { call, fetch } = failing(named(name, 'Requires net access to "api.complycube.com:443"'));

      const { error } = await call;

      expect(error).toMatchObject({
        code: "connection",
        attempts: 1,
        message: `No answer from https://api.complycube.com: ${name}: Requires net access to "api.complycube.com:443".`,
      });
      expect(fetch).toHaveBeenCalledTimes(1);
    },
  );
});

describe("an error in a log", () => {
  test.each<[string, () => Promise<Response>]>([
    ["a redirect", async () => new Response(null, { status: 307 })],
    [
      "a broken connection",
      async () => {
        throw Object.assign(new Error("gone"), { code: "ECONNRESET" });
      },
    ],
  ])("is printed as the class that is exported: %s", async (_, fetch) => {
    const { error } = await settle(new ComplyCube({ apiKey: "test_UNIT_KEY", fetch, maxRetries: 0 }));

    expect(inspect(error)).toMatch(/^ConnectionError: /);
  });

  test("is an object with what a log needs, as JSON and across structuredClone", async () => {
    const error = await refusal(400, { type: "invalid_request", message: "no", param: "referrer" });
    const logged = {
      name: "InvalidRequestError",
      code: "api",
      message: "no",
      status: 400,
      type: "invalid_request",
      param: "referrer",
      attempts: 1,
    };

    expect(JSON.parse(JSON.stringify({ error }))).toEqual({ error: logged });
    expect(structuredClone((error as Error & { toJSON(): object }).toJSON())).toMatchObject(logged);
  });
});
