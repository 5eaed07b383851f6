import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { checkOrigins } from "../../src/handler/cross-origin.ts";
import type { TokenHandlerOptions } from "../../src/handler/index.ts";
import { ComplyCube } from "../../src/index.ts";

const APP = "https://www.example.com";
const KEY = "test_HANDLER_KEY";
const TARGET = { referrer: `${APP}/*` };
const SIGNED_IN = { cookie: "session=ada" };

/** Imported anew for each test, because it remembers for the whole process which warnings were given. */
let createTokenHandler: typeof import("../../src/handler/index.ts").createTokenHandler;
beforeEach(async () => {
  vi.resetModules();
  ({ createTokenHandler } = await import("../../src/handler/index.ts"));
});

type Answer = () => Response | Promise<Response>;

/** A handler in front of a stand-in API, with everything that it sent and reported. */
function setUp({ answer = minted, ...options }: { answer?: Answer } & Partial<TokenHandlerOptions> = {}) {
  const sent: Record<string, unknown>[] = [];
  const onError = vi.fn<NonNullable<TokenHandlerOptions["onError"]>>();
  const complycube = new ComplyCube({
    rateLimit: false,
    apiKey: KEY,
    maxRetries: 0,
    timeoutMs: 200,
    fetch: async (_, init) => {
      sent.push(JSON.parse(String(init.body)));
      return answer();
    },
  });
  const authenticate = vi.fn((request: Request) =>
    request.headers.get("cookie") === SIGNED_IN.cookie ? { clientId: "CLIENT_OF_ADA" } : undefined,
  );
  const handler = createTokenHandler({ complycube, target: TARGET, authenticate, onError, ...options });
  return { handler, sent, onError, authenticate };
}

const minted = () => Response.json({ token: "TOKEN" });
const refused =
  (status: number, headers = {}) =>
  () =>
    Response.json(
      { type: "some_type", message: "SECRET OF THE API", param: "clientId" },
      { status, headers },
    );

/** What the app's own page sends. */
const OWN_PAGE = { origin: APP, referer: `${APP}/verify`, "sec-fetch-site": "same-origin", ...SIGNED_IN };

function post(headers: Record<string, string> = OWN_PAGE, init: RequestInit = {}, url = `${APP}/api/token`) {
  return new Request(url, { method: "POST", headers: { host: new URL(url).host, ...headers }, ...init });
}

const crossSite = { "sec-fetch-site": "cross-site", ...SIGNED_IN };

describe("createTokenHandler, asked by its own page", () => {
  test("answers 200 with the token, not to be stored", async () => {
    const { handler } = setUp();

    const response = await handler(post());

    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("vary")).toBeNull();
    expect(await response.json()).toEqual({ token: "TOKEN" });
  });

  test("mints for the client of the session and never for one that the request names", async () => {
    const { handler, sent } = setUp();
    const claims = {
      clientId: "CLIENT_OF_EVE",
      client_id: "CLIENT_OF_EVE",
      referrer: "https://evil.example/*",
      appId: "evil.app",
    };

    await handler(
      post(
        { ...OWN_PAGE, "content-type": "application/json", "x-client-id": "CLIENT_OF_EVE" },
        { body: JSON.stringify(claims) },
        `${APP}/api/token?clientId=CLIENT_OF_EVE&referrer=https://evil.example/*`,
      ),
    );

    expect(sent).toEqual([{ clientId: "CLIENT_OF_ADA", ...TARGET }]);
  });

  test("answers 401 and sends nothing when nobody is signed in", async () => {
    const { handler, sent, onError } = setUp();

    const response = await handler(post({ ...OWN_PAGE, cookie: "session=forged" }));

    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ error: "unauthenticated" });
    expect(sent).toEqual([]);
    expect(onError).not.toHaveBeenCalled();
  });
});

describe("context", () => {
  test("reaches authenticate and target as it is", async () => {
    const req = { user: { clientId: "CLIENT_OF_THE_FRAMEWORK" }, isMobile: true };
    const complycube = new ComplyCube({ apiKey: KEY, fetch: async () => minted() });
    const target = vi.fn((_request: Request, _clientId: string, { isMobile }: typeof req) =>
      isMobile ? { appId: "com.example.app" } : TARGET,
    );
    const handler = createTokenHandler({
      complycube,
      authenticate: (_request, { user }: typeof req) => user,
      target,
    });

    const response = await handler(post(), req);

    expect(await response.json()).toEqual({ token: "TOKEN", clientId: "CLIENT_OF_THE_FRAMEWORK" });
    expect(target.mock.lastCall?.[2]).toBe(req);
  });
});

describe("the connection to the API", () => {
  test("is opened before authenticate is asked, and for nobody who is refused", async () => {
    const calls: string[] = [];
    const { handler } = setUp({
      complycube: { token: { generate: async () => "TOKEN" }, preconnect: () => calls.push("preconnect") },
      authenticate: () => {
        calls.push("authenticate");
        return undefined;
      },
    });

    await handler(post());
    await handler(post({ ...crossSite, origin: "https://evil.example" }));
    await handler(post(OWN_PAGE, { method: "PUT" }));

    expect(calls).toEqual(["preconnect", "authenticate"]);
  });
});

describe("the connection that is opened ahead", () => {
  test("is one, however many strangers ask, and serves whoever is signed in", async () => {
    let connections = 0;
    const api = createServer((_, response) => response.end('{"token":"TOKEN"}'));
    api.on("connection", () => connections++);
    api.listen(0, "127.0.0.1");
    await once(api, "listening");
    const baseUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    const { handler } = setUp({ complycube: new ComplyCube({ apiKey: KEY, baseUrl, rateLimit: false }) });

    const strangers = await Promise.all(
      Array.from({ length: 50 }, () => handler(post({ ...OWN_PAGE, cookie: "session=forged" }))),
    );
    await expect.poll(() => connections).toBe(1);
    const signedIn = await handler(post());

    expect(new Set(strangers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(signedIn.status).toBe(200);
    expect(connections).toBe(1);
    api.close().closeAllConnections();
  });
});

describe("createTokenHandler, for a mobile app", () => {
  test("answers with the client's ID beside the token, as every mobile SDK wants both", async () => {
    const { handler, sent } = setUp({ target: { appId: "com.example.app" } });

    const response = await handler(post(SIGNED_IN));

    expect(await response.json()).toEqual({ token: "TOKEN", clientId: "CLIENT_OF_ADA" });
    expect(sent).toEqual([{ clientId: "CLIENT_OF_ADA", appId: "com.example.app" }]);
  });
});

describe("the body", () => {
  const eve = () => post(OWN_PAGE, { body: '{"clientId":"CLIENT_OF_EVE"}' });
  const cannotRead = {
    name: "TypeError",
    message:
      "authenticate and target cannot read the request's body: its sender could name anyone's client. Take the client ID " +
      "from your own session: by a cookie or header of the request, or from what the framework knows, passed as " +
      "handler(request, context).",
  };

  test.each(["json", "text", "formData", "arrayBuffer", "blob", "bytes", "clone"] as const)(
    "cannot be read by %s in authenticate, and onError hears what to do instead",
    async (method) => {
      const { handler, sent, onError } = setUp({
        authenticate: async (request) => (await request[method]()) as unknown as { clientId: string },
      });

      const response = await handler(eve());

      expect(response.status).toBe(500);
      expect(sent).toEqual([]);
      expect(onError.mock.calls[0]?.[0]).toMatchObject(cannotRead);
    },
  );

  test("cannot be read in target either", async () => {
    const { handler, sent, onError } = setUp({ target: (request) => request.json() });

    const response = await handler(eve());

    expect(response.status).toBe(500);
    expect(sent).toEqual([]);
    expect(onError.mock.calls[0]?.[0]).toMatchObject(cannotRead);
  });

  test.each([
    ["the class's own method", (request: Request) => Request.prototype.json.call(request)],
    ["a new Request", (request: Request) => new Request(request).json()],
    ["the stream", (request: Request) => new Response(request.body).json()],
  ])("cannot be read by %s", async (_, authenticate) => {
    const { handler, sent } = setUp({ authenticate });

    const response = await handler(eve());

    expect(response.status).toBe(500);
    expect(sent).toEqual([]);
  });

  test("is all that is taken away: headers, URL, signal and a framework's own fields stay", async () => {
    class FrameworkRequest extends Request {
      #cookies = new Map([["session", "ada"]]);
      get cookies() {
        return this.#cookies;
      }
    }
    const given = new FrameworkRequest(eve());
    const seen = vi.fn();
    const { handler } = setUp({
      authenticate: (request) => {
        const copy = new Request(request.url, request); // As libraries for sessions do.
        seen(request, (request as FrameworkRequest).cookies.get("session"), copy.headers.get("cookie"));
        return { clientId: "CLIENT_OF_ADA" };
      },
    });

    const response = await handler(given);

    expect(response.status).toBe(200);
    expect(seen).toHaveBeenCalledExactlyOnceWith(given, "ada", SIGNED_IN.cookie);
    expect(given.body).toBeNull();
    expect(given.headers.get("origin")).toBe(APP);
    expect(given.signal.aborted).toBe(false);
  });

  test("that cannot be closed is answered with 500, for the handler never rejects", async () => {
    const { handler, sent, onError } = setUp();

    const response = await handler(Object.freeze(eve()));

    expect(response.status).toBe(500);
    expect(sent).toEqual([]);
    expect(onError).toHaveBeenCalledOnce();
  });

  test("may have been read by a middleware", async () => {
    const { handler } = setUp();
    const request = eve();
    await request.text();

    expect((await handler(request)).status).toBe(200);
  });

  test("may be read by a middleware at the same time, from the request or from a copy", async () => {
    const { handler } = setUp();
    const [request, copied] = [eve(), eve()];
    const reader = request.body?.getReader();
    const copy = copied.clone();

    const responses = await Promise.all([handler(request), handler(copied)]);

    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    expect((await reader?.read())?.value).toHaveLength(28);
    expect(await copy.json()).toEqual({ clientId: "CLIENT_OF_EVE" });
  });

  test("may be behind a Proxy, as Next.js passes the request", async () => {
    const seen = vi.fn();
    const { handler, onError } = setUp({ authenticate: async (request) => seen(await request.json()) });
    const target = eve();
    const proxy = new Proxy(target, {
      get(request, name) {
        const value: unknown = Reflect.get(request, name, request);
        return typeof value === "function" ? value.bind(request) : value;
      },
    });

    await handler(proxy);

    expect(onError.mock.calls[0]?.[0]).toMatchObject(cannotRead);
  });
});

describe("createTokenHandler, method by method", () => {
  test.each(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])(
    "answers %s with 405 and Allow",
    async (method) => {
      const { handler, sent, onError, authenticate } = setUp();

      const response = await handler(post(OWN_PAGE, { method }));

      expect(response.status).toBe(405);
      expect(await response.json()).toEqual({ error: "method_not_allowed" });
      expect(onError).not.toHaveBeenCalled();
      expect(response.headers.get("allow")).toBe("POST");
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
      expect(sent).toEqual([]);
      expect(authenticate).not.toHaveBeenCalled();
    },
  );
});

describe("createTokenHandler, asked from elsewhere", () => {
  const own = { host: "www.example.com", ...SIGNED_IN };
  const table: [name: string, status: number, headers: Record<string, string>][] = [
    ["Sec-Fetch-Site: same-origin", 200, { ...own, "sec-fetch-site": "same-origin", origin: APP }],
    ["Sec-Fetch-Site: none", 200, { ...own, "sec-fetch-site": "none" }],
    [
      "Sec-Fetch-Site: same-site",
      403,
      { ...own, "sec-fetch-site": "same-site", origin: "https://blog.example.com" },
    ],
    [
      "Sec-Fetch-Site: cross-site",
      403,
      { ...own, "sec-fetch-site": "cross-site", origin: "https://evil.example" },
    ],
    ["cross-site without an Origin, as no-cors may send", 403, { ...own, "sec-fetch-site": "cross-site" }],
    ["cross-site with the app's own Origin", 403, { ...own, "sec-fetch-site": "cross-site", origin: APP }],
    ["an unknown Sec-Fetch-Site", 403, { ...own, "sec-fetch-site": "same-planet", origin: APP }],
    ["Sec-Fetch-Site in capitals", 403, { ...own, "sec-fetch-site": "Same-Origin", origin: APP }],
    ["two Sec-Fetch-Site in one", 403, { ...own, "sec-fetch-site": "same-origin, cross-site", origin: APP }],
    [
      "an empty Sec-Fetch-Site and a foreign Origin",
      403,
      { ...own, "sec-fetch-site": "", origin: "https://evil.example" },
    ],
    [
      "same-origin behind a proxy that changes Host",
      200,
      { ...own, "sec-fetch-site": "same-origin", origin: APP, host: "10.0.0.7:8080" },
    ],

    ["no Sec-Fetch-Site, own Origin", 200, { ...own, origin: APP }],
    [
      "no Sec-Fetch-Site, own Origin, Host with the default port",
      200,
      { ...own, origin: APP, host: "www.example.com:443" },
    ],
    [
      "no Sec-Fetch-Site, own Origin, Host in capitals",
      200,
      { ...own, origin: APP, host: "WWW.EXAMPLE.COM" },
    ],
    [
      "no Sec-Fetch-Site, own host and port over plain http",
      200,
      { ...own, origin: "http://www.example.com:8080", host: "www.example.com:8080" },
    ],
    ["no Sec-Fetch-Site, another host", 403, { ...own, origin: "https://evil.example" }],
    ["no Sec-Fetch-Site, a subdomain", 403, { ...own, origin: "https://blog.www.example.com" }],
    ["no Sec-Fetch-Site, a host that ends alike", 403, { ...own, origin: "https://notwww.example.com" }],
    [
      "no Sec-Fetch-Site, a host that starts alike",
      403,
      { ...own, origin: "https://www.example.com.evil.example" },
    ],
    ["no Sec-Fetch-Site, another port", 403, { ...own, origin: `${APP}:8443` }],
    [
      "no Sec-Fetch-Site, the port missing in Origin",
      403,
      { ...own, origin: APP, host: "www.example.com:8443" },
    ],
    ["no Sec-Fetch-Site, Origin: null", 403, { ...own, origin: "null" }],
    ["no Sec-Fetch-Site, an Origin with a path", 403, { ...own, origin: `${APP}/` }],
    [
      "no Sec-Fetch-Site, an Origin with a user name",
      403,
      { ...own, origin: "https://evil@www.example.com" },
    ],
    [
      "no Sec-Fetch-Site, an extension's Origin",
      403,
      { ...own, origin: "chrome-extension://abcdefghijklmnop" },
    ],
    ["no Sec-Fetch-Site, two Origins", 403, { ...own, origin: `${APP}, https://evil.example` }],
    ["no Sec-Fetch-Site, an Origin that is no URL", 403, { ...own, origin: "www.example.com" }],
    [
      "forged X-Forwarded-Host for a foreign Origin",
      403,
      {
        ...own,
        origin: "https://evil.example",
        "x-forwarded-host": "evil.example",
        forwarded: "host=evil.example",
      },
    ],
    [
      "forged Referer for a foreign Origin",
      403,
      { ...own, origin: "https://evil.example", referer: `${APP}/` },
    ],
    [
      "method override headers on a foreign Origin",
      403,
      { ...own, origin: "https://evil.example", "x-http-method-override": "GET" },
    ],

    ["neither header, a session", 200, { ...own }],
    ["neither header, no session", 401, { host: own.host }],
    [
      "neither header, a foreign Referer, no session",
      401,
      { host: own.host, referer: "https://evil.example/" },
    ],
  ];

  test.each(table)("%s: %d", async (_, status, headers) => {
    const { handler, sent, authenticate } = setUp();

    const response = await handler(post(headers));

    expect(response.status).toBe(status);
    expect(sent).toHaveLength(status === 200 ? 1 : 0);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    if (status === 403) {
      expect(await response.json()).toEqual({ error: "cross_origin" });
      expect(authenticate).not.toHaveBeenCalled();
    }
  });

  test("takes the host from the URL where a runtime gives no Host", async () => {
    const { handler } = setUp();

    const own = await handler(
      new Request(`${APP}/api/token`, { method: "POST", headers: { origin: APP, ...SIGNED_IN } }),
    );
    const foreign = await handler(
      new Request(`${APP}/api/token`, {
        method: "POST",
        headers: { origin: "https://evil.example", ...SIGNED_IN },
      }),
    );

    expect(own.status).toBe(200);
    expect(foreign.status).toBe(403);
  });
});

describe("a refusal", () => {
  const EVIL = "http://localhost:3001";
  const preflight = (origin: string) =>
    post({ origin, "access-control-request-method": "POST" }, { method: "OPTIONS" });
  const warning = (message: unknown) => expect.objectContaining({ name: "CrossOriginWarning", message });

  test("is reported once an origin, with the entry that would let it in", async () => {
    const { handler, onError } = setUp();

    for (const origin of [EVIL, EVIL, "http://localhost:3002"]) {
      await handler(post({ ...crossSite, origin }));
    }

    expect(onError.mock.calls.map(([error, report]) => [error, report])).toEqual(
      [EVIL, "http://localhost:3002"].map((origin) => [
        warning(
          `A page of "${origin}" asked for a token and was refused: it is not this endpoint's own origin. ` +
            `If the page is yours, pass allowedOrigins: ["${origin}"].`,
        ),
        { severity: "warning", status: 403, clientId: undefined },
      ]),
    );
  });

  test("of a preflight is reported as well, and not again with the request", async () => {
    const { handler, onError } = setUp();

    await handler(preflight(EVIL));
    await handler(post({ ...crossSite, origin: EVIL }));

    expect(onError).toHaveBeenCalledExactlyOnceWith(
      warning(expect.stringContaining(`pass allowedOrigins: ["${EVIL}"]`)),
      { severity: "warning", status: 405, clientId: undefined },
      expect.any(Request),
    );
  });

  test("is reported once where a handler is made for each request", async () => {
    const onError = vi.fn();

    for (let request = 0; request < 3; request++) {
      await setUp({ onError }).handler(post({ ...crossSite, origin: EVIL }));
    }

    expect(onError).toHaveBeenCalledOnce();
  });

  test.each([
    ["null", "nothing in allowedOrigins can let in"],
    ["file://", "nothing in allowedOrigins can let in"],
    ["capacitor://localhost", 'pass allowedOrigins: ["capacitor://localhost"]'],
    [undefined, "without an Origin header"],
  ])("of Origin %s says what helps", async (origin, message) => {
    const { handler, onError } = setUp();

    await handler(post({ ...crossSite, ...(origin && { origin }) }));

    expect(onError).toHaveBeenCalledExactlyOnceWith(
      warning(expect.stringContaining(message)),
      expect.anything(),
      expect.any(Request),
    );
  });

  test("shows what a stranger sent without control characters, and not at any length", async () => {
    const { handler, onError } = setUp();
    const origin = `https://a.example/\u009b31m\u0007${"x".repeat(5_000)}`;

    await handler(post({ ...crossSite, origin: origin.replace("\u0007", "\u007f") }));

    const [error] = onError.mock.calls[0] ?? [];
    expect((error as Error).message).toMatch(/^[ -~]{1,400}$/);
    expect((error as Error).message).toContain("a.example/\\u009b31m\\u007f");
  });

  test("of strangers leaves room for warnings about one's own pages", async () => {
    const { handler, onError } = setUp();

    for (let n = 0; n < 200; n++) await handler(post({ ...crossSite, origin: `https://evil-${n}.example` }));
    await handler(post({ ...OWN_PAGE, origin: "https://example.com", host: "example.com" }));

    expect(onError).toHaveBeenCalledTimes(101);
    expect(onError.mock.lastCall?.[0]).toMatchObject({ name: "ReferrerMismatchWarning" });
  });
});

describe("allowedOrigins", () => {
  const PARTNER = "https://partner.example:8443";
  const allowedOrigins = [PARTNER];

  test("lets an exact origin in, with exact CORS headers", async () => {
    const { handler } = setUp({ allowedOrigins });

    const response = await handler(post({ ...crossSite, origin: PARTNER }));

    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBe(PARTNER);
    expect(response.headers.get("access-control-allow-credentials")).toBe("true");
    expect(response.headers.get("access-control-expose-headers")).toBe("Retry-After");
    expect(response.headers.get("vary")).toBe("Origin");
  });

  test("lets it read a failure as well", async () => {
    const { handler } = setUp({ allowedOrigins });

    const response = await handler(post({ "sec-fetch-site": "cross-site", origin: PARTNER }));

    expect(response.status).toBe(401);
    expect(response.headers.get("access-control-allow-origin")).toBe(PARTNER);
  });

  test.each([
    "http://partner.example:8443",
    "https://partner.example",
    "https://sub.partner.example:8443",
    `${PARTNER}/`,
    `${PARTNER}.evil.example`,
    "null",
    "*",
  ])("keeps %s out and names no origin", async (origin) => {
    const { handler, sent } = setUp({ allowedOrigins });

    const response = await handler(post({ ...crossSite, origin }));

    expect(response.status).toBe(403);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    expect(response.headers.get("vary")).toBe("Origin");
    expect(sent).toEqual([]);
  });

  test("answers its preflight with what was asked for, without asking who it is", async () => {
    const { handler, authenticate } = setUp({ allowedOrigins });
    const asks = {
      origin: PARTNER,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type,traceparent",
    };

    const response = await handler(post(asks, { method: "OPTIONS" }));

    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toEqual({
      "access-control-allow-origin": PARTNER,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": "content-type,traceparent",
      "access-control-max-age": "600",
      "cache-control": "no-store",
      vary: "Origin",
    });
    expect(authenticate).not.toHaveBeenCalled();
  });

  test("answers no other origin's preflight", async () => {
    const { handler } = setUp({ allowedOrigins });

    const response = await handler(
      post(
        { origin: "https://evil.example", "access-control-request-method": "POST" },
        { method: "OPTIONS" },
      ),
    );

    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST, OPTIONS");
    expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  test.each([
    "*",
    "https://*.example.com",
    "https://www.example.com/",
    "https://www.example.com/app",
    "https://WWW.example.com",
    "https://www.example.com:443",
    "www.example.com",
    "null",
    "file://",
    "file://server",
    "capacitor://",
    "capacitor://*",
    "capacitor://localhost/",
    "capacitor://localhost/index.html",
    "capacitor://ada@localhost",
    "Capacitor://localhost",
    "chrome-extension://*",
    "ftp://www.example.com",
    "ws://www.example.com",
    "wss://www.example.com",
    new URL("https://www.example.com"),
    "https://a@example.com",
    "",
    undefined,
    7,
  ])("refuses %j at construction", (origin) => {
    expect(() => setUp({ allowedOrigins: [origin as string] })).toThrow(
      /^allowedOrigins must hold exact origins, without path or wildcard: .+ is none\. (One looks like "https:\/\/app\.example\.com"|Use "[a-z-]+:\/\/[\w.]+")\.$/,
    );
  });

  test.each([
    "capacitor://localhost",
    "ionic://localhost",
    "tauri://localhost",
    "http://tauri.localhost",
    "chrome-extension://aaaabbbbccccddddeeeeffffgggghhhh",
  ])("lets in the pages of a hybrid app at %s, and no others", async (origin) => {
    const { handler } = setUp({ allowedOrigins: [origin], target: { appId: "com.example.app" } });

    const own = await handler(post({ ...crossSite, origin }));
    const others = await Promise.all(
      [`${origin}.evil.example`, `${origin}/`, `x${origin}`, "null", "file://"].map((other) =>
        handler(post({ ...crossSite, origin: other })),
      ),
    );

    expect(own.status).toBe(200);
    expect(own.headers.get("access-control-allow-origin")).toBe(origin);
    expect(others.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
  });

  test("says what an origin looks like, where none can be told", () => {
    expect(() => checkOrigins([7])).toThrow(
      'without path or wildcard: a number is none. One looks like "https://app.example.com".',
    );
  });

  test("says which origin was probably meant", () => {
    expect(() => checkOrigins(["Capacitor://localhost/app"])).toThrow('Use "capacitor://localhost".');
    expect(() => checkOrigins(["https://WWW.example.com:443/app"])).toThrow(`Use "https://www.example.com".`);
  });

  test("refuses a lone string, which would be read letter by letter", () => {
    expect(() => setUp({ allowedOrigins: APP as unknown as string[] })).toThrow(
      "allowedOrigins must be an array, not a string.",
    );
  });
});

describe("target", () => {
  test("as a function binds web and mobile tokens behind one endpoint", async () => {
    const target = vi.fn((request: Request) =>
      request.headers.has("origin") ? TARGET : { appId: "com.example.app" },
    );
    const { handler, sent } = setUp({ target });

    await handler(post());
    await handler(post(SIGNED_IN));

    expect(sent).toEqual([
      { clientId: "CLIENT_OF_ADA", referrer: TARGET.referrer },
      { clientId: "CLIENT_OF_ADA", appId: "com.example.app" },
    ]);
    expect(target.mock.lastCall).toEqual([expect.any(Request), "CLIENT_OF_ADA", undefined]);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("SECRET OF THE APP");
      },
      "SECRET OF THE APP",
    ],
    ["gives nothing", () => undefined, "target must be an object, not undefined."],
    ["gives an unset variable", () => ({ referrer: undefined }), "Is an environment variable missing?"],
    ["gives a pattern with a path", () => ({ referrer: `${APP}/verify/*` }), `Use "${APP}/*".`],
  ])("that %s is answered with 500 and reported", async (_, target, message) => {
    const { handler, sent, onError } = setUp({ target: target as unknown as () => typeof TARGET });

    const response = await handler(post());

    expect(response.status).toBe(500);
    expect(await response.text()).toBe('{"error":"internal_error"}');
    expect(sent).toEqual([]);
    expect(onError).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: expect.stringContaining(message) }),
      { severity: "error", status: 500, clientId: "CLIENT_OF_ADA" },
      expect.any(Request),
    );
  });
});

test("a pattern with a path is minted for, without a warning, where the client allows it", async () => {
  const complycube = new ComplyCube({
    apiKey: "test_KEY",
    allowReferrerPath: true,
    fetch: async () => minted(),
  });
  const { handler, onError } = setUp({ complycube, target: { referrer: `${APP}/verify/*` } });

  const response = await handler(post());

  expect(response.status).toBe(200);
  expect(onError).not.toHaveBeenCalled();
});

describe("a page that the token cannot work on", () => {
  const elsewhere = {
    ...OWN_PAGE,
    origin: "https://example.com",
    referer: "https://example.com/verify",
    host: "example.com",
  };

  test("is warned of once and gets its token all the same", async () => {
    const { handler, onError } = setUp();

    const responses = await Promise.all([
      handler(post(elsewhere)),
      handler(post(elsewhere)),
      handler(post(elsewhere)),
    ]);

    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(onError).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ name: "ReferrerMismatchWarning" }),
      { severity: "warning", status: undefined, clientId: "CLIENT_OF_ADA" },
      expect.any(Request),
    );
    expect(String(onError.mock.lastCall?.[0])).toContain("www.example.com");
  });

  test("is warned of for each page of its own, up to a hundred", async () => {
    const { handler, onError } = setUp();

    for (let shop = 0; shop < 120; shop++) {
      const origin = `https://shop-${shop}.example`;
      await handler(post({ ...OWN_PAGE, origin, referer: `${origin}/` }));
    }

    expect(onError).toHaveBeenCalledTimes(100);
  });

  test.each([
    [
      "the page sends no Referer at all",
      TARGET,
      { origin: APP, "sec-fetch-site": "same-origin", ...SIGNED_IN },
      "came without a Referer: ",
    ],
    ["all is well", TARGET, OWN_PAGE, undefined],
    ["the page is not known", TARGET, SIGNED_IN, undefined],
    ["the page has no origin", TARGET, { ...OWN_PAGE, origin: "null" }, undefined],
    [
      "the page has neither an origin nor a Referer",
      TARGET,
      { ...SIGNED_IN, origin: "null", "sec-fetch-site": "same-origin" },
      undefined,
    ],
    ["the token is for an app", { appId: "com.example.app" }, elsewhere, undefined],
    [
      "the token is for an app, whose web view sends no Referer",
      { appId: "com.example.app" },
      { origin: APP, "sec-fetch-site": "same-origin", ...SIGNED_IN },
      undefined,
    ],
  ])("when %s", async (_, target, headers, warning) => {
    const { handler, onError } = setUp({ target });

    const response = await handler(post(headers));

    expect(response.status).toBe(200);
    if (warning === undefined) expect(onError).not.toHaveBeenCalled();
    else expect(String(onError.mock.lastCall?.[0])).toContain(warning);
  });

  test("is not told to someone who is not signed in", async () => {
    const { handler, onError } = setUp();

    await handler(post({ ...elsewhere, cookie: "" }));

    expect(onError).not.toHaveBeenCalled();
  });
});

describe("a request without a Referer", () => {
  const silent = { origin: APP, "sec-fetch-site": "same-origin", ...SIGNED_IN };

  test("is warned of by what was seen, once, and gets its token", async () => {
    const { handler, onError } = setUp();

    const responses = await Promise.all([handler(post(silent)), handler(post(silent))]);

    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    expect(onError).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({
        name: "ReferrerMismatchWarning",
        message:
          'This request from "https://www.example.com" came without a Referer: the page is under Referrer-Policy: ' +
          "no-referrer, or something on its way took the Referer off, or it is not a browser. A page that sends " +
          "ComplyCube no Referer cannot use its token: let it have Referrer-Policy: strict-origin-when-cross-origin.",
      }),
      { severity: "warning", status: undefined, clientId: "CLIENT_OF_ADA" },
      expect.any(Request),
    );
  });

  test("shows no control character of its Origin", async () => {
    const { handler, onError } = setUp();

    await handler(post({ ...silent, origin: "https://other.example/\u009b31m" }));

    expect(onError).toHaveBeenCalledOnce();
    const [error] = onError.mock.calls[0] ?? [];
    expect((error as Error).message).toMatch(/^[ -~]+$/);
  });
});

describe("timeoutMs", () => {
  const never = () => new Promise<never>(() => {});
  const late = (waitsFor: string, timeoutMs: number) =>
    expect.objectContaining({
      name: "TimeoutError",
      code: "timeout",
      message: `No token within ${timeoutMs} ms (timeoutMs of the handler): it was still waiting for ${waitsFor}.`,
    });

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test.each([
    ["authenticate", { authenticate: never }, undefined],
    ["target", { target: never }, "CLIENT_OF_ADA"],
    [
      "the API, or for a place under the rate limit",
      { complycube: { token: { generate: never } } },
      "CLIENT_OF_ADA",
    ],
  ])("ends the wait for %s with 504, and onError hears of it", async (waitsFor, options, clientId) => {
    const { handler, onError, sent } = setUp({ timeoutMs: 300, ...options });

    const answer = handler(post());
    await vi.advanceTimersByTimeAsync(300);
    const response = await answer;

    expect(response.status).toBe(504);
    expect(await response.json()).toEqual({ error: "timeout" });
    expect(onError).toHaveBeenCalledExactlyOnceWith(
      late(waitsFor, 300),
      { severity: "error", status: 504, clientId },
      expect.any(Request),
    );
    expect(sent).toEqual([]);
  });

  test("is nine seconds by default, attempts and backoff included", async () => {
    const complycube = new ComplyCube({
      apiKey: KEY,
      rateLimit: false,
      fetch: () => never(),
      timeoutMs: 4_000,
    });
    const { handler, onError } = setUp({ complycube });
    const startedAt = Date.now();

    const answer = handler(post()).then((response) => [response.status, Date.now() - startedAt]);
    await vi.advanceTimersByTimeAsync(60_000);

    expect(await answer).toEqual([504, 9_000]);
    expect(onError).toHaveBeenCalledOnce();
  });

  test("sends nothing when authenticate answers after it, and swallows what it throws then", async () => {
    const answers = [
      () => ({ clientId: "CLIENT_OF_ADA" }),
      () => {
        throw new Error("late");
      },
    ];
    for (const lateAnswer of answers) {
      const { handler, sent, onError } = setUp({
        timeoutMs: 300,
        authenticate: () => new Promise((resolve) => setTimeout(resolve, 500)).then(lateAnswer),
      });

      const answer = handler(post());
      await vi.advanceTimersByTimeAsync(1_000);

      expect((await answer).status).toBe(504);
      expect(sent).toEqual([]);
      expect(onError).toHaveBeenCalledOnce();
    }
  });

  test("ends the call to the API", async () => {
    const generate = vi.fn(never);
    const { handler } = setUp({ timeoutMs: 300, complycube: { token: { generate } } });

    handler(post());
    await vi.advanceTimersByTimeAsync(300);

    const [, , options] = generate.mock.lastCall as unknown as [string, object, { signal: AbortSignal }];
    expect(options.signal.aborted).toBe(true);
  });

  test.each([
    ["the token", {}],
    ["a failure", { authenticate: () => undefined }],
    ["a caller who leaves", { authenticate: never }],
  ])("leaves no timer behind after %s", async (_, options) => {
    const caller = new AbortController();
    const { handler } = setUp(options);

    const answer = handler(post(OWN_PAGE, { signal: caller.signal }));
    if ("authenticate" in options && options.authenticate === never) caller.abort();
    await answer;

    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])("refuses %d", (timeoutMs) => {
    expect(() => setUp({ timeoutMs })).toThrow(RangeError);
  });
});

describe("a failure", () => {
  const table: [
    name: string,
    status: number,
    error: string,
    retryAfter: string | null,
    cause: object,
    answer: Answer,
  ][] = [
    ["API 400", 502, "upstream_failed", null, { name: "InvalidRequestError" }, refused(400)],
    ["API 401", 502, "upstream_failed", null, { name: "AuthenticationError" }, refused(401)],
    ["API 402", 502, "upstream_failed", null, { status: 402 }, refused(402)],
    ["API 403", 502, "upstream_failed", null, { name: "PermissionDeniedError" }, refused(403)],
    ["API 500", 502, "upstream_failed", null, { status: 500 }, refused(500)],
    ["API 429", 429, "rate_limited", "5", { name: "RateLimitError" }, refused(429)],
    [
      "API 429 with Retry-After",
      429,
      "rate_limited",
      "17",
      { name: "RateLimitError" },
      refused(429, { "retry-after": "17" }),
    ],
    [
      "API 429 with a fraction of a second",
      429,
      "rate_limited",
      "2",
      { name: "RateLimitError" },
      refused(429, { "retry-after": "1.2" }),
    ],
    [
      "API 429 with Retry-After: 0",
      429,
      "rate_limited",
      "1",
      { name: "RateLimitError" },
      refused(429, { "retry-after": "0" }),
    ],
    [
      "a redirect",
      502,
      "upstream_failed",
      null,
      { code: "connection" },
      () => Response.redirect("https://evil.example/"),
    ],
    [
      "no connection",
      502,
      "upstream_failed",
      null,
      { code: "connection" },
      () => Promise.reject(new Error("ECONNREFUSED")),
    ],
    [
      "HTML for a token",
      502,
      "upstream_failed",
      null,
      { code: "invalid_response" },
      () => new Response("<html>"),
    ],
    ["a full local queue", 429, "rate_limited", "5", { code: "rate_limit_queue_full" }, minted],
    [
      "a full local queue that says how long",
      429,
      "rate_limited",
      "9",
      { code: "rate_limit_queue_full", retryAfterMs: 8_001 },
      minted,
    ],
    ["a timeout", 504, "timeout", null, { name: "TimeoutError" }, () => new Promise(() => {})],
    [
      "an error that is none of ours",
      500,
      "internal_error",
      null,
      { name: "TypeError", message: "no key" },
      minted,
    ],
    ["another client's 429", 500, "internal_error", null, { status: 429 }, minted],
    ["undefined, thrown", 500, "internal_error", null, undefined as unknown as object, minted],
  ];

  test.each(table)("of %s is answered with %d %s", async (name, status, error, retryAfter, cause, answer) => {
    // What the API cannot be made to answer is thrown by the client itself.
    const throws = answer === minted && { complycube: { token: { generate: () => Promise.reject(cause) } } };
    const { handler, onError } = setUp({ answer, ...throws });

    const response = await handler(post());
    const body = await response.text();

    expect(response.status, name).toBe(status);
    expect(body).toBe(JSON.stringify({ error }));
    expect(response.headers.get("retry-after")).toBe(retryAfter);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(onError).toHaveBeenCalledExactlyOnceWith(
      cause === undefined ? undefined : expect.objectContaining(cause),
      { severity: "error", status, clientId: "CLIENT_OF_ADA" },
      expect.any(Request),
    );
  });

  test("tells the caller nothing of the API's message, the key or the client, and onError all but the key", async () => {
    const { handler, onError } = setUp({ answer: refused(400) });

    const response = await handler(post());
    const told = JSON.stringify([await response.text(), [...response.headers]]);

    for (const secret of ["SECRET", "some_type", KEY, "CLIENT_OF_ADA", "param"])
      expect(told).not.toContain(secret);
    const [error, report] = onError.mock.lastCall ?? [];
    expect(error).toMatchObject({
      message: expect.stringMatching(/^SECRET OF THE API /),
      type: "some_type",
      param: "clientId",
      status: 400,
    });
    expect(report?.clientId).toBe("CLIENT_OF_ADA");
    expect(JSON.stringify([error, report])).not.toContain(KEY);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("SECRET OF THE APP");
      },
    ],
    ["rejects", () => Promise.reject(new Error("SECRET OF THE APP"))],
    // Such a code is the API's only when it comes from the API's client.
    [
      "throws what looks like the API's timeout",
      () => {
        throw Object.assign(new Error("SECRET OF THE APP"), { code: "timeout" });
      },
    ],
  ])("of authenticate, which %s, is answered with 500 and reported", async (_, authenticate) => {
    const { handler, sent, onError } = setUp({ authenticate });

    const response = await handler(post());

    expect(response.status).toBe(500);
    expect(await response.text()).toBe('{"error":"internal_error"}');
    expect(sent).toEqual([]);
    expect(onError).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: "SECRET OF THE APP" }),
      { severity: "error", status: 500, clientId: undefined },
      expect.any(Request),
    );
  });

  test.each([
    ["the bare client ID", "CLIENT_ID"],
    ["an object without one", {}],
  ])("that gives %s is answered with 500, and onError hears what it must give", async (_, session) => {
    const { handler, onError, sent } = setUp({ authenticate: () => session as { clientId: string } });

    const response = await handler(post());

    expect(response.status).toBe(500);
    expect(sent).toEqual([]);
    expect(onError.mock.calls[0]?.[0]).toMatchObject({
      name: "TypeError",
      message: "authenticate must return { clientId: string }, or undefined when nobody is signed in.",
    });
  });

  test.each([
    ["no client ID", {}],
    ["a blank client ID", { clientId: " " }],
  ])("of a session with %s is answered with 500, and nothing is sent", async (_, session) => {
    const { handler, sent } = setUp({ authenticate: () => session as { clientId: string } });

    const response = await handler(post());

    expect(response.status).toBe(500);
    expect(sent).toEqual([]);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("broken logger");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken logger"))],
  ])("is answered even when onError %s", async (_, onError) => {
    const { handler } = setUp({ answer: refused(500), onError: onError as () => void });

    const response = await handler(post());

    expect(response.status).toBe(502);
  });

  test("is printed on the console, without its request, when there is no onError", async () => {
    const print = vi.spyOn(console, "error").mockImplementation(() => {});
    const { handler } = setUp({ answer: refused(500), onError: undefined });

    await handler(post());

    expect(print).toHaveBeenCalledExactlyOnceWith(
      "complycube-tokens/handler:",
      expect.objectContaining({ status: 500 }),
    );
    print.mockRestore();
  });
});

describe("a warning without onError", () => {
  test("is printed on the console, and the token goes out", async () => {
    const print = vi.spyOn(console, "warn").mockImplementation(() => {});
    const { handler } = setUp({ onError: undefined });

    const response = await handler(post({ ...OWN_PAGE, origin: "https://other.example.com" }));

    expect(response.status).toBe(200);
    expect(print).toHaveBeenCalledExactlyOnceWith(
      expect.stringMatching(
        /^complycube-tokens\/handler: A token for "https:\/\/www\.example\.com\/\*" cannot work at "https:\/\/other\.example\.com"\. /,
      ),
    );
    print.mockRestore();
  });
});

describe("a caller who goes away", () => {
  test("ends the call to the API and is no error", async () => {
    const caller = new AbortController();
    let apiSignal: AbortSignal | null | undefined;
    const onError = vi.fn();
    const complycube = new ComplyCube({
      rateLimit: false,
      apiKey: KEY,
      fetch: (_, { signal }) => {
        apiSignal = signal;
        queueMicrotask(() => caller.abort());
        return new Promise(() => {});
      },
    });
    const handler = createTokenHandler({
      complycube,
      target: TARGET,
      authenticate: () => ({ clientId: "C" }),
      onError,
    });

    const response = await handler(post(OWN_PAGE, { signal: caller.signal }));

    expect(apiSignal?.aborted).toBe(true);
    expect(response.status).toBe(499);
    expect(await response.json()).toEqual({ error: "aborted" });
    expect(onError).not.toHaveBeenCalled();
  });

  test("is let go while authenticate still waits", async () => {
    const caller = new AbortController();
    const { handler, onError } = setUp({
      authenticate: () => {
        queueMicrotask(() => caller.abort());
        return new Promise(() => {});
      },
    });

    const response = await handler(post(OWN_PAGE, { signal: caller.signal }));

    expect(response.status).toBe(499);
    expect(onError).not.toHaveBeenCalled();
  });

  test("is not known where the runtime gives a request no signal", async () => {
    const { handler, onError } = setUp({ answer: refused(500) });
    const request = Object.defineProperty(post(), "signal", { value: undefined });

    const response = await handler(request);

    expect(response.status).toBe(502);
    expect(onError).toHaveBeenCalledOnce();
  });

  test("has nothing sent on its behalf when it left before", async () => {
    const { handler, sent } = setUp();

    await handler(post(OWN_PAGE, { signal: AbortSignal.abort() }));

    expect(sent).toEqual([]);
  });
});

describe("createTokenHandler", () => {
  test.each([
    [{ complycube: {} }, "complycube must be a ComplyCube."],
    [{ complycube: undefined }, "complycube must be a ComplyCube."],
    [
      { authenticate: undefined },
      "authenticate must be a function that returns who is asking, not undefined.",
    ],
    [{ onError: "log" }, "onError must be a function, not a string."],
    [{ target: undefined }, "target must be an object, not undefined."],
    [{ target: { referrer: undefined } }, "referrer must be a match pattern"],
    [{ target: { referrer: "www.example.com" } }, "Invalid referrer pattern"],
    [{ target: { referrer: `${APP}/verify/*` } }, "pass { allowReferrerPath: true }"],
    [{ target: { ...TARGET, appId: "com.example.app" } }, "target must have exactly one field"],
    [{ target: { referrer: "*://*/*" } }, "matches every site"],
    [{ timeoutMs: "9s" }, "timeoutMs must be a number, not a string."],
    [{ clientId: "CLIENT_ID" }, 'options has an unknown field "clientId".'],
    [{ allowedOrigin: APP }, 'options has an unknown field "allowedOrigin".'],
  ])("refuses %j", (options, message) => {
    expect(() => setUp(options as Partial<TokenHandlerOptions>)).toThrow(TypeError);
    expect(() => setUp(options as Partial<TokenHandlerOptions>)).toThrow(message);
  });

  test("takes a fixed target for every site where the client does", async () => {
    const fetch = async () => minted();
    const complycube = new ComplyCube({ apiKey: KEY, rateLimit: false, allowAnyReferrer: true, fetch });
    const { handler } = setUp({ complycube, target: { referrer: "*://*/*" } });

    expect((await handler(post())).status).toBe(200);
  });

  test("takes no option from a polluted prototype", async () => {
    const pollution = { allowedOrigins: ["https://evil.example"], timeoutMs: 1, onError: "none" };
    Object.assign(Object.prototype, pollution);
    try {
      const { handler } = setUp();

      expect((await handler(post({ ...crossSite, origin: "https://evil.example" }))).status).toBe(403);
      expect((await handler(post())).status).toBe(200);
    } finally {
      for (const name of Object.keys(pollution)) delete (Object.prototype as Record<string, unknown>)[name];
    }
  });
});
