import { describe, expect, test, vi } from "vitest";
import { ComplyCube, type TokenTarget } from "../../src/index.ts";

const WEB = { referrer: "https://www.example.com/*" };

/** A client over a fetch that mints a token for whatever it is sent, and shows what that was. */
function recordingClient(options: { allowAnyReferrer?: boolean; allowReferrerPath?: boolean } = {}) {
  const fetch = vi.fn(async (_url: string, _init: RequestInit) => Response.json({ token: "TOKEN" }));
  const complycube = new ComplyCube({ apiKey: "test_UNIT_KEY", rateLimit: false, fetch, ...options });
  const sentBody = () => JSON.parse(String(fetch.mock.calls[0]?.[1]?.body));
  return { complycube, fetch, sentBody };
}

const accepted: TokenTarget[] = [
  { referrer: "https://www.example.com/*" },
  { referrer: "https://www.example.com/" },
  { referrer: "http://localhost:3000/*" },
  { referrer: "*://*.example.com/*" },
  { referrer: "https://www.example.com/**" },
  { referrer: "https://www.example.com:443/*" },
  { appId: "com.myapp.demo.app" },
  { appId: "com.my-company.My_App2" },
  { appId: "4you.app" },
];

const PATH_NOT_SENT =
  /browsers send a page's origin, and only Chrome can send a path.*Use "https:\/\/www\.example\.com\/\*".*pass \{ allowReferrerPath: true \}/;

const refused: { what: string; target: unknown; name?: string; says: RegExp }[] = [
  {
    what: "both",
    target: { ...WEB, appId: "com.example.app" },
    says: /exactly one field.*referrer and appId/,
  },
  { what: "neither", target: {}, says: /exactly one field of referrer and appId and has none/ },
  {
    what: "one field and the other undefined",
    target: { ...WEB, appId: undefined },
    says: /exactly one field/,
  },
  { what: "an unknown field", target: { ...WEB, locale: "en" }, says: /unknown field "locale"/ },
  { what: "a clientId", target: { ...WEB, clientId: "SOMEONE_ELSE" }, says: /unknown field "clientId"/ },
  {
    what: "no target",
    target: undefined,
    says: /^target must be an object, not undefined\. The call is generate\("CLIENT_ID", \{ referrer: "[^"]+" \}\)\.$/,
  },
  {
    what: "a string",
    target: WEB.referrer,
    says: /^target must be an object, not a string\. The call is generate\("CLIENT_ID", \{ referrer: "[^"]+" \}\)\.$/,
  },
  {
    what: "a missing environment variable",
    target: { referrer: undefined },
    says: /environment variable missing/,
  },
  { what: "a blank referrer", target: { referrer: " " }, says: /referrer is blank/ },
  { what: "a blank appId", target: { appId: "" }, says: /appId is blank/ },
  { what: "any site", target: { referrer: "*://*/*" }, says: /matches every site.*allowAnyReferrer/ },
  { what: "all URLs", target: { referrer: "<all_urls>" }, says: /matches every site/ },
  {
    what: "any site under a top-level domain",
    target: { referrer: "https://*.com/*" },
    says: /matches every site/,
  },
  {
    what: "a malformed pattern",
    target: { referrer: "https://www.example.com" },
    name: "ReferrerPatternError",
    says: /no path.*Use "https:\/\/www\.example\.com\/\*"/,
  },
  {
    what: "the word undefined",
    target: { referrer: "undefined" },
    name: "ReferrerPatternError",
    says: /looks like "https:\/\/www\.example\.com\/\*"/,
  },
  {
    what: "the URL of a page",
    target: { referrer: "https://www.example.com/verify/step" },
    name: "ReferrerPatternError",
    says: PATH_NOT_SENT,
  },
  {
    what: "the URL of a page on any port",
    target: { referrer: "*://www.example.com:*/verify" },
    name: "ReferrerPatternError",
    says: PATH_NOT_SENT,
  },
  {
    what: "a path with a wildcard",
    target: { referrer: "https://www.example.com/verify/*" },
    name: "ReferrerPatternError",
    says: PATH_NOT_SENT,
  },
  {
    what: "a query",
    target: { referrer: "https://www.example.com/?*" },
    name: "ReferrerPatternError",
    says: PATH_NOT_SENT,
  },
  {
    what: "two patterns that are one by Chrome's grammar",
    target: { referrer: "https://www.example.com/*,https://app.example.com/*" },
    name: "ReferrerPatternError",
    says: /takes one pattern.*\(at index 25, .*Use "https:\/\/www\.example\.com\/\*"\.$/,
  },
  {
    what: "two hosts that are one by Chrome's grammar",
    target: { referrer: "https://www.example.com,app.example.com/*" },
    name: "ReferrerPatternError",
    says: /takes one pattern.*\(at index 23, .*Use "https:\/\/www\.example\.com\/\*"\.$/,
  },
  {
    what: "a host that was never filled in",
    target: { referrer: "https://undefined/*" },
    says: /never filled in.*environment variable/,
  },
  {
    what: "a template that was never filled in",
    target: { referrer: ["https://$", "{HOST}/*"].join("") },
    says: /HOST/,
  },
  {
    what: "a web host as appId",
    target: { appId: "www.example.com" },
    says: /pass \{ referrer: "https:\/\/www\.example\.com\/\*" \}/,
  },
  {
    what: "an app ID as referrer",
    target: { referrer: "com.myapp.demo.app" },
    says: /looks like an app ID\. Pass \{ appId: "com\.myapp\.demo\.app" \}/,
  },
  {
    what: "a page's URL as appId",
    target: { appId: "https://www.example.com/verify" },
    says: /pass \{ referrer: "https:\/\/www\.example\.com\/\*" \}/,
  },
  { what: "an appId with a space", target: { appId: "com.my app" }, says: /is not a bundle ID/ },
  { what: "an appId of one part", target: { appId: "myapp" }, says: /is not a bundle ID/ },
  { what: "an appId with an empty part", target: { appId: "com..app" }, says: /is not a bundle ID/ },
  { what: "an appId that is a number", target: { appId: 7 }, says: /not a number/ },
];

describe("generate", () => {
  test.each(accepted)("sends %o with the client ID", async (target) => {
    const { complycube, sentBody } = recordingClient();

    const token = await complycube.token.generate("CLIENT_ID", target);

    expect(token).toBe("TOKEN");
    expect(sentBody()).toEqual({ clientId: "CLIENT_ID", ...target });
  });

  test.each(refused)(
    "refuses $what before anything is sent",
    async ({ target, name = "TypeError", says }) => {
      const { complycube, fetch } = recordingClient();

      const error: Error = await complycube.token.generate("CLIENT_ID", target as TokenTarget).then(
        () => expect.unreachable(),
        (reason) => reason,
      );

      expect(error).toBeInstanceOf(TypeError);
      expect(error.name).toBe(name);
      expect(error.message).toMatch(says);
      expect(fetch).not.toHaveBeenCalled();
    },
  );

  test.each([undefined, null, "", "  ", 7, {}])(
    "refuses the client ID %o before anything is sent",
    async (clientId) => {
      const { complycube, fetch } = recordingClient();

      const call = complycube.token.generate(clientId as string, WEB);

      await expect(call).rejects.toThrow(/^clientId /);
      expect(fetch).not.toHaveBeenCalled();
    },
  );

  test.each<[string, unknown[]]>([
    ["swapped arguments", [WEB, "CLIENT_ID"]],
    ["one object", [{ clientId: "CLIENT_ID", ...WEB }]],
    ["nothing", []],
  ])("shows the call once when it is called with %s", async (_, args) => {
    const { complycube, fetch } = recordingClient();
    const generate = complycube.token.generate as (...args: unknown[]) => Promise<string>;

    const error: Error = await generate.apply(complycube.token, args).then(
      () => expect.unreachable(),
      (reason) => reason,
    );

    expect(error.message).toMatch(/^clientId must be the ID of the client, not [a-z ]+\. The call is /);
    expect(error.message.split("generate(")).toHaveLength(2);
    expect(fetch).not.toHaveBeenCalled();
  });

  test("cuts a long appId in its message", async () => {
    const { complycube } = recordingClient();

    const call = complycube.token.generate("CLIENT_ID", { appId: "a b".repeat(300_000) });

    await expect(call).rejects.toSatisfy((error: Error) => error.message.length < 500);
  });

  test("carries what was wrong in fields, for those who word their own message", async () => {
    const { complycube } = recordingClient();

    const error = await complycube.token.generate("CLIENT_ID", { appId: "myapp" }).catch((reason) => reason);

    expect(error.argument).toBe("appId");
    expect(error.problem).toBe('"myapp" is not a bundle ID or application ID');
    expect(error.message).toBe(`${error.argument} ${error.problem}. ${error.advice}`);
    expect(Object.keys(error)).toEqual([]);
  });

  test("refuses an API key as client ID, and does not show it", async () => {
    const { complycube, fetch } = recordingClient();

    const call = complycube.token.generate("live_SECRET_KEY_1234", WEB);

    await expect(call).rejects.toThrow(/^(?!.*SECRET).*clientId looks like an API key/);
    expect(fetch).not.toHaveBeenCalled();
  });

  test.each<TokenTarget>([
    { appId: "live_SECRET_KEY_1234" },
    { referrer: "live_SECRET_KEY_1234" },
    { referrer: "https://www.example.com/live_SECRET_KEY_1234" },
  ])("refuses %o, and does not show the API key in it", async (target) => {
    const { complycube, fetch } = recordingClient();

    const call = complycube.token.generate("CLIENT_ID", target);

    await expect(call).rejects.toThrow(/^(?!.*SECRET)/);
    expect(fetch).not.toHaveBeenCalled();
  });

  test("refuses a referrer of undefined in the very first call of a process too", async () => {
    vi.resetModules();
    const fresh = await import("../../src/index.ts");
    const fetch = vi.fn(async () => Response.json({ token: "TOKEN" }));
    const complycube = new fresh.ComplyCube({ apiKey: "test_UNIT_KEY", rateLimit: false, fetch });

    const call = complycube.token.generate("CLIENT_ID", { referrer: undefined as never });

    await expect(call).rejects.toThrow(/^referrer must be .*Is an environment variable missing\?/);
    expect(fetch).not.toHaveBeenCalled();
  });

  test("takes nothing from a polluted prototype", async () => {
    const { complycube, fetch } = recordingClient();
    const inherited = Object.create({ appId: "com.attacker.app" });

    const call = complycube.token.generate("CLIENT_ID", inherited);

    await expect(call).rejects.toThrow(/has none/);
    expect(fetch).not.toHaveBeenCalled();
  });

  test.each([
    ["https://WWW.Example.COM/*", "https://www.example.com/*"],
    ["https://*.bücher.example/*", "https://*.xn--bcher-kva.example/*"],
    ["https://Example.com:443/*", "https://example.com:443/*"],
    ["http://[0:0::1]:3000/*", "http://[::1]:3000/*"],
  ])("sends %s as browsers write it, %s", async (referrer, canonical) => {
    const { complycube, sentBody } = recordingClient();

    await complycube.token.generate("CLIENT_ID", { referrer });

    expect(sentBody()).toEqual({ clientId: "CLIENT_ID", referrer: canonical });
  });

  const WITH_PATH = { referrer: "https://WWW.example.com/Verify/*" };

  test("sends a pattern with a path, its path as it was given, where the client allows it", async () => {
    const { complycube, sentBody } = recordingClient({ allowReferrerPath: true });

    await complycube.token.generate("CLIENT_ID", WITH_PATH);

    expect(sentBody().referrer).toBe("https://www.example.com/Verify/*");
  });

  test("sends a pattern with a path where the call allows it", async () => {
    const { complycube, sentBody } = recordingClient();

    await complycube.token.generate("CLIENT_ID", WITH_PATH, { allowReferrerPath: true });

    expect(sentBody().referrer).toBe("https://www.example.com/Verify/*");
  });

  test("refuses a path where the call forbids what the client allows", async () => {
    const { complycube, fetch } = recordingClient({ allowReferrerPath: true });

    const call = complycube.token.generate("CLIENT_ID", WITH_PATH, { allowReferrerPath: false });

    await expect(call).rejects.toMatchObject({
      name: "ReferrerPatternError",
      reason: "path-not-sent",
      index: 23,
    });
    expect(fetch).not.toHaveBeenCalled();
  });

  test("refuses a path of any site where only any site is allowed", async () => {
    const { complycube, fetch } = recordingClient({ allowAnyReferrer: true });

    const call = complycube.token.generate("CLIENT_ID", { referrer: "https://*/verify" });

    await expect(call).rejects.toMatchObject({ reason: "path-not-sent" });
    expect(fetch).not.toHaveBeenCalled();
  });

  test("accepts any site where the client allows it", async () => {
    const { complycube } = recordingClient({ allowAnyReferrer: true });

    await expect(complycube.token.generate("CLIENT_ID", { referrer: "*://*/*" })).resolves.toBe("TOKEN");
  });

  test("accepts any site where the call allows it", async () => {
    const { complycube } = recordingClient();

    const call = complycube.token.generate("CLIENT_ID", { referrer: "*://*/*" }, { allowAnyReferrer: true });

    await expect(call).resolves.toBe("TOKEN");
  });

  test("refuses any site where the call forbids what the client allows", async () => {
    const { complycube, fetch } = recordingClient({ allowAnyReferrer: true });

    const call = complycube.token.generate("CLIENT_ID", { referrer: "*://*/*" }, { allowAnyReferrer: false });

    await expect(call).rejects.toThrow(/matches every site/);
    expect(fetch).not.toHaveBeenCalled();
  });
});
