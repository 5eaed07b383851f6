import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TARGET_FIELD_NAMES, TARGET_FIELDS } from "../../src/core/client/target.ts";
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
  { appId: "com.www.app" },
  { referrer: "https://null.example.com/*" },
  { referrer: "https://isnull/*" },
];

const CALL = 'The call is generate("CLIENT_ID", { referrer: "https://www.example.com/*" }).';
const ONE_FIELD = "target must have exactly one field of referrer and appId and has";
const EITHER =
  'Pass either { referrer: "https://www.example.com/*" } for the Web SDK or { appId: "com.example.app" } for a Mobile SDK.';
const ANY_SITE =
  "matches every site, so a stolen token would work anywhere. Use your own page's origin, such as https://www.example.com/*. " +
  "If you accept that, pass { allowAnyReferrer: true }.";
const UNFILLED = "holds a value that was never filled in. Is an environment variable missing?";
const BEST = 'Use "https://www.example.com/*".';
const ALLOW_PATH =
  "If all your users have Chrome and your pages set Referrer-Policy: unsafe-url, pass { allowReferrerPath: true }.";
const NO_APP_ID =
  'is not a bundle ID or application ID. It must be parts of letters, digits, "_" and "-" with dots between them, ' +
  "such as com.example.app.";

const pathNotSent = (pattern: string, place: string) =>
  `Invalid referrer pattern "${pattern}": browsers send a page's origin, and only Chrome can send a path (${place}). ` +
  `${BEST} ${ALLOW_PATH}`;
const likeAppId = (text: string) =>
  `referrer "${text}" looks like an app ID. Pass { appId: "${text}" }. ` +
  `If it is a web host, pass { referrer: "https://${text}/*" }.`;
const noScheme = (text: string, pattern: string) =>
  `Invalid referrer pattern "${text}": there is no "://" (at index 0, "${text}"). Use "${pattern}".`;
const several = (text: string, index: number) =>
  `Invalid referrer pattern "${text}": a token takes one pattern (at index ${index}, "${text.slice(index)}"). ${BEST}`;

const TEMPLATE = ["https://$", "{HOST}/*"].join("");

const refused: [what: string, target: unknown, message: string][] = [
  ["both", { ...WEB, appId: "com.example.app" }, `${ONE_FIELD} referrer and appId. ${EITHER}`],
  ["neither", {}, `${ONE_FIELD} none. ${EITHER}`],
  [
    "one field and the other undefined",
    { ...WEB, appId: undefined },
    `${ONE_FIELD} referrer and appId. ${EITHER}`,
  ],
  [
    "an unknown field",
    { ...WEB, locale: "en" },
    'target has an unknown field "locale". Known: referrer, appId.',
  ],
  [
    "a clientId",
    { ...WEB, clientId: "SOMEONE_ELSE" },
    'target has an unknown field "clientId". Known: referrer, appId.',
  ],
  ["no target", undefined, `target must be an object, not undefined. ${CALL}`],
  ["null", null, `target must be an object, not null. ${CALL}`],
  ["a string", WEB.referrer, `target must be an object, not a string. ${CALL}`],
  ["a list", [WEB], `target must be an object, not an array. ${CALL}`],
  [
    "a missing environment variable",
    { referrer: undefined },
    "referrer must be a match pattern, such as https://www.example.com/*, not undefined. Is an environment variable missing?",
  ],
  [
    "a blank referrer",
    { referrer: " " },
    "referrer is blank. It must be a match pattern, such as https://www.example.com/*.",
  ],
  [
    "a blank appId",
    { appId: "" },
    "appId is blank. It must be a bundle ID or application ID, such as com.example.app.",
  ],
  ["any site", { referrer: "*://*/*" }, `referrer "*://*/*" ${ANY_SITE}`],
  ["all URLs", { referrer: "<all_urls>" }, `referrer "<all_urls>" ${ANY_SITE}`],
  [
    "any site under a top-level domain",
    { referrer: "https://*.com/*" },
    `referrer "https://*.com/*" ${ANY_SITE}`,
  ],
  [
    "a malformed pattern",
    { referrer: "https://www.example.com" },
    `Invalid referrer pattern "https://www.example.com": there is no path, such as "/*" (at its end). ${BEST}`,
  ],
  [
    "the word undefined",
    { referrer: "undefined" },
    'Invalid referrer pattern "undefined": there is no "://" (at index 0, "undefined"). ' +
      'A pattern looks like "https://www.example.com/*".',
  ],
  [
    "the URL of a page",
    { referrer: "https://www.example.com/verify/step" },
    pathNotSent("https://www.example.com/verify/step", 'at index 23, "/verify/step"'),
  ],
  [
    "the URL of a page on any port",
    { referrer: "*://www.example.com:*/verify" },
    pathNotSent("*://www.example.com:*/verify", 'at index 21, "/verify"'),
  ],
  [
    "a path with a wildcard",
    { referrer: "https://www.example.com/verify/*" },
    pathNotSent("https://www.example.com/verify/*", 'at index 23, "/verify/*"'),
  ],
  [
    "a query",
    { referrer: "https://www.example.com/?*" },
    pathNotSent("https://www.example.com/?*", 'at index 23, "/?*"'),
  ],
  ...(
    [
      [
        "two patterns that are one by Chrome's grammar",
        "https://www.example.com/*,https://app.example.com/*",
        25,
      ],
      ["two patterns with any scheme", "https://www.example.com/*;*://app.example.com/*", 25],
      ["two patterns of plain http", "https://www.example.com/*,http://app.example.com/*", 25],
      ["two hosts that are one by Chrome's grammar", "https://www.example.com,app.example.com/*", 23],
    ] as const
  ).map(([what, referrer, index]): [string, unknown, string] => [
    what,
    { referrer },
    several(referrer, index),
  ]),
  [
    "a host that was never filled in",
    { referrer: "https://undefined/*" },
    `referrer "https://undefined/*" ${UNFILLED}`,
  ],
  [
    "a domain that was never filled in",
    { referrer: "https://app.null/*" },
    `referrer "https://app.null/*" ${UNFILLED}`,
  ],
  ["a template that was never filled in", { referrer: TEMPLATE }, `referrer "${TEMPLATE}" ${UNFILLED}`],
  ["an app ID as referrer", { referrer: "com.myapp.demo.app" }, likeAppId("com.myapp.demo.app")],
  ["an app ID with .com inside as referrer", { referrer: "de.comfort.app" }, likeAppId("de.comfort.app")],
  [
    "a host of three parts as referrer",
    { referrer: "mycom.example.shop" },
    noScheme("mycom.example.shop", "https://mycom.example.shop/*"),
  ],
  [
    "a host under .com as referrer",
    { referrer: "app.example.com" },
    noScheme("app.example.com", "https://app.example.com/*"),
  ],
  [
    "a host of two parts as referrer",
    { referrer: "io.example" },
    noScheme("io.example", "https://io.example/*"),
  ],
  [
    "a host and a path as referrer",
    { referrer: "de.shop.example/*" },
    noScheme("de.shop.example/*", "https://de.shop.example/*"),
  ],
  [
    "a web host as appId",
    { appId: "www.example.com" },
    'appId "www.example.com" is a web host. For the Web SDK pass { referrer: "https://www.example.com/*" }.',
  ],
  [
    "a page's URL as appId",
    { appId: "https://www.example.com/verify" },
    'appId "https://www.example.com/verify" is the URL of a page. ' +
      'For the Web SDK pass { referrer: "https://www.example.com/*" }.',
  ],
  [
    "a page's URL over plain http as appId",
    { appId: "http://localhost:3000" },
    'appId "http://localhost:3000" is the URL of a page. ' +
      'For the Web SDK pass { referrer: "http://localhost:3000/*" }.',
  ],
  ["another URL as appId", { appId: "app+https://localhost" }, `appId "app+https://localhost" ${NO_APP_ID}`],
  ["a broken URL as appId", { appId: "https://" }, `appId "https://" ${NO_APP_ID}`],
  ["an appId with a space", { appId: "com.my app" }, `appId "com.my app" ${NO_APP_ID}`],
  ["an appId with a space in front", { appId: " com.example.app" }, `appId " com.example.app" ${NO_APP_ID}`],
  ["an appId with a space behind", { appId: "com.example.app " }, `appId "com.example.app " ${NO_APP_ID}`],
  ["an appId of one part", { appId: "myapp" }, `appId "myapp" ${NO_APP_ID}`],
  ["an appId with an empty part", { appId: "com..app" }, `appId "com..app" ${NO_APP_ID}`],
  [
    "an appId that is a number",
    { appId: 7 },
    "appId must be a bundle ID or application ID, such as com.example.app, not a number.",
  ],
];

describe("generate", () => {
  test.each(accepted)("sends %o with the client ID", async (target) => {
    const { complycube, sentBody } = recordingClient();

    const token = await complycube.token.generate("CLIENT_ID", target);

    expect(token).toBe("TOKEN");
    expect(sentBody()).toEqual({ clientId: "CLIENT_ID", ...target });
  });

  test.each(refused)("refuses %s before anything is sent", async (_, target, message) => {
    const { complycube, fetch } = recordingClient();

    const error: Error = await complycube.token.generate("CLIENT_ID", target as TokenTarget).then(
      () => expect.unreachable(),
      (reason) => reason,
    );

    expect(error).toBeInstanceOf(TypeError);
    expect(error.name).toBe(message.startsWith("Invalid") ? "ReferrerPatternError" : "TypeError");
    expect(error.message).toBe(message);
    expect(fetch).not.toHaveBeenCalled();
  });

  test.each<[unknown, string]>([
    [undefined, "must be the ID of the client, not undefined. Is an environment variable missing?"],
    [null, `must be the ID of the client, not null. ${CALL}`],
    ["", "is blank. It must be the ID of the client."],
    ["  ", "is blank. It must be the ID of the client."],
    [7, "must be the ID of the client, not a number."],
    [{}, `must be the ID of the client, not an object. ${CALL}`],
  ])("refuses the client ID %o before anything is sent", async (clientId, problem) => {
    const { complycube, fetch } = recordingClient();

    const call = complycube.token.generate(clientId as string, WEB);

    await expect(call).rejects.toThrow(new TypeError(`clientId ${problem}`));
    expect(fetch).not.toHaveBeenCalled();
  });

  test.each<[string, unknown[]]>([
    ["swapped arguments", [WEB, "CLIENT_ID"]],
    ["one object", [{ clientId: "CLIENT_ID", ...WEB }]],
    ["nothing", []],
    ["no client and a pattern alone", [undefined, WEB.referrer]],
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

    await expect(call).rejects.toThrow(
      new TypeError("clientId looks like an API key. Pass the ID of the client, and the key as { apiKey }."),
    );
    expect(fetch).not.toHaveBeenCalled();
  });

  test.each(["my_test_CLIENT_ID", "test_1"])(
    "sends the client ID %s, which is no API key",
    async (clientId) => {
      const { complycube, sentBody } = recordingClient();

      await complycube.token.generate(clientId, WEB);

      expect(sentBody().clientId).toBe(clientId);
    },
  );

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

  test("sends a path with a comma in it, which is one pattern", async () => {
    const { complycube, sentBody } = recordingClient({ allowReferrerPath: true });

    await complycube.token.generate("CLIENT_ID", { referrer: "https://www.example.com/a,b/*" });

    expect(sentBody().referrer).toBe("https://www.example.com/a,b/*");
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
      advice: ALLOW_PATH,
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

describe("an optional number of the web request, as the description may get one", () => {
  const fields: Record<string, object> = TARGET_FIELDS.referrer;
  beforeEach(() => {
    fields.expiresIn = { type: "number", what: "a lifetime in seconds" };
    TARGET_FIELD_NAMES.push("expiresIn");
  });
  afterEach(() => {
    delete fields.expiresIn;
    TARGET_FIELD_NAMES.pop();
  });

  test.each([900, 0])("is sent: %d", async (expiresIn) => {
    const { complycube, sentBody } = recordingClient();

    await complycube.token.generate("CLIENT_ID", { ...WEB, expiresIn } as TokenTarget);

    expect(sentBody()).toEqual({ clientId: "CLIENT_ID", ...WEB, expiresIn });
  });

  test.each<object>([WEB, { appId: "com.example.app" }])(
    "counts as left out where it is undefined: %o",
    async (target) => {
      const { complycube, sentBody } = recordingClient();

      await complycube.token.generate("CLIENT_ID", { ...target, expiresIn: undefined } as never);

      expect(sentBody()).toEqual({ clientId: "CLIENT_ID", ...target });
    },
  );

  test.each<[unknown, string]>([
    [{ ...WEB, expiresIn: "900" }, "expiresIn must be a lifetime in seconds, not a string."],
    [{ ...WEB, expiresIn: null }, "expiresIn must be a lifetime in seconds, not null."],
    [{ ...WEB, expiresIn: Number.NaN }, "expiresIn must be a lifetime in seconds, not NaN."],
    [
      { ...WEB, expiresIn: Number.POSITIVE_INFINITY },
      "expiresIn must be a lifetime in seconds, not Infinity.",
    ],
    [{ appId: "com.example.app", expiresIn: 900 }, "target must not have expiresIn beside appId."],
  ])("is refused where it is wrong: %o", async (target, message) => {
    const { complycube, fetch } = recordingClient();

    const call = complycube.token.generate("CLIENT_ID", target as TokenTarget);

    await expect(call).rejects.toThrow(new TypeError(message));
    expect(fetch).not.toHaveBeenCalled();
  });
});
