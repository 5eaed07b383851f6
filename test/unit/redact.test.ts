import { describe, expect, test } from "vitest";
import { ComplyCube } from "../../src/index.ts";
import { leaks, TOKEN } from "../support/leak-scan.ts";
import { settle } from "../support/settle.ts";

/** With a character that some escaping changes after every few that none does. */
const KEY = "live_c2Vj/mV0L2+leSt3=XRoL2&2ZXJ5'2NoYX<JhY3Rl_Mg==";
/** What no escaping changes: the parts by which the key would be known in whatever is left over. */
const PARTS = KEY.slice("live_".length)
  .split(/[^A-Za-z0-9]+/)
  .filter((part) => part !== "");

const code = (character: string, radix: number) => character.charCodeAt(0).toString(radix);
const each = (write: (character: string) => string, which = /[^A-Za-z0-9]/g) => KEY.replace(which, write);
const html = (write: (character: string) => string) => each(write, /[/+=&'<]/g);
const NAMES: Record<string, string> = {
  "&": "amp",
  "<": "lt",
  "'": "apos",
  "+": "plus",
  "=": "equals",
  "/": "sol",
};

const spellings: [string, string][] = [
  ["as it is", KEY],
  ["in hexadecimal entities, as Handlebars writes them", html((c) => `&#x${code(c, 16).toUpperCase()};`)],
  ["in hexadecimal entities in lower case, padded", html((c) => `&#x00${code(c, 16)};`)],
  ["in decimal entities", html((c) => `&#${code(c, 10)};`)],
  ["in named entities", html((c) => `&${NAMES[c]};`)],
  ["with only & and < escaped", KEY.replace("&", "&amp;").replace("<", "&lt;")],
  ["in entities that are escaped again", html((c) => `&amp;#x${code(c, 16)};`)],
  ["percent-encoded", encodeURIComponent(KEY)],
  ["percent-encoded in lower case", each((c) => `%${code(c, 16)}`)],
  ["percent-encoded twice", encodeURIComponent(encodeURIComponent(KEY))],
  ["as JSON of PHP", KEY.replaceAll("/", "\\/")],
  ["in JSON's numbers", each((c) => `\\u00${code(c, 16)}`)],
  ["in JSON's numbers, in JSON in JSON", each((c) => `\\\\u00${code(c, 16)}`)],
  ["in hexadecimal escapes", each((c) => `\\x${code(c, 16)}`)],
  ["wrapped over lines", KEY.replace(/.{7}/g, "$&\n")],
  ["wrapped over lines and indented", KEY.replace(/.{7}/g, "$&\r\n    ")],
  ["wrapped over lines with \\n", KEY.replace(/.{7}/g, "$&\\n")],
  ["wrapped over lines of HTML", KEY.replace(/.{7}/g, "$&<br>").replace(/.{22}/g, "$&<wbr>")],
  ["with every character escaped", KEY.replace(/./g, (c) => `&#${code(c, 10)};`)],
];

/** The error of a call that an answer refuses. */
async function refusal(body: string, headers: Record<string, string> = {}) {
  const fetch = async () => new Response(body, { status: 400, headers });
  const { error } = await settle(new ComplyCube({ apiKey: KEY, maxRetries: 0, rateLimit: false, fetch }));
  return error as Error & { body: unknown; requestId: string };
}

describe("the key that an answer echoes", () => {
  test.each(spellings)(
    "%s is blotted out of text, of JSON, of a header and of a cause",
    async (_, spelling) => {
      const text = `<p>No such key: ${spelling}, sorry.</p>`;
      const failing = async () => {
        throw new Error("fetch failed", { cause: new Error(`bad header ${spelling}`) });
      };

      const errors = [
        await refusal(text),
        await refusal(
          JSON.stringify({
            message: `no such key: ${spelling}, sorry`,
            param: spelling,
            [spelling]: [spelling],
          }),
        ),
        await refusal("{}", /[\r\n]/.test(spelling) ? {} : { "x-request-id": spelling }),
        (await settle(new ComplyCube({ apiKey: KEY, maxRetries: 0, fetch: failing }))).error,
      ];

      expect(
        leaks(
          errors,
          PARTS.filter((part) => part.length > 3),
        ),
      ).toEqual([]);
      expect(errors[0]).toMatchObject({
        body: expect.stringMatching(/^<p>No such key: \[redacted\], sorry\.<\/p>$/),
      });
      expect(errors[1]).toMatchObject({ message: "no such key: [redacted], sorry", param: "[redacted]" });
    },
  );

  test.each([
    ["once", html((c) => `&#x${code(c, 16)};`).replace(/.{7}/g, "$&\n")],
    ["twice", html((c) => `&amp;#x${code(c, 16)};`).replace(/.{7}/g, "$&&#10;")],
  ])("escaped %s and then wrapped is blotted out, with the line breaks", async (_, spelling) => {
    const error = await refusal(`No such key: ${spelling}, sorry.`);

    expect(error.body).toBe("Nosuchkey:[redacted],sorry.");
  });

  test("takes nothing else with it", async () => {
    const text = `a ${KEY} b & c &amp; d\n%41 ${KEY}\ne`;

    expect(await refusal(text)).toMatchObject({
      body: "a [redacted] b & c &amp; d\n%41 [redacted]\ne",
    });
  });
});

describe("a token that an answer echoes", () => {
  const opaque = "opaque-Token_0123456789";

  test.each([
    ["access_token", { access_token: opaque }],
    ["Token", { Token: opaque }],
    ["clientTokens", { clientTokens: [opaque] }],
    ["something deeper", { data: { sdk_token: { value: opaque } } }],
  ])("in a field named %s is blotted out", async (_, body) => {
    expect(leaks(await refusal(JSON.stringify({ message: "no", ...body })), [opaque, TOKEN])).toEqual([]);
  });

  test.each([
    `{"token":"${opaque}"`,
    `{'token': '${opaque}'}`,
    `{"Token" : "${opaque}"`,
    `{\\"access_token\\":\\"${opaque}\\"}`,
    `{&quot;token&quot;:&quot;${opaque}&quot;}`,
    `["token" => "${opaque}"]`,
    `<token type="x">${opaque}</token>`,
    `<auth:accessToken>${opaque}</auth:accessToken>`,
    `https://a.example/?access_token=${opaque}&x=1`,
    `token: ${opaque}`,
    `bad ${TOKEN}`,
  ])("in the text %s is blotted out", async (text) => {
    expect(
      leaks([await refusal(text), await refusal(JSON.stringify({ message: text }))], [opaque, TOKEN]),
    ).toEqual([]);
  });

  test("is not seen in words about one", async () => {
    const message = "The token: expired. Ask for a new token or see 'tokens' in the docs.";

    expect(await refusal(JSON.stringify({ message }))).toMatchObject({ message });
  });
});

describe("what an answer says at length", () => {
  test("is cut in the message and the request ID, and kept in the body", async () => {
    const message = "x".repeat(900_000);
    const param = "z".repeat(5_000);

    const error = await refusal(JSON.stringify({ message, param }), {
      "x-request-id": "y".repeat(4_000),
    });

    expect(error.message).toHaveLength(1_001);
    expect(error).toMatchObject({ param: `${param.slice(0, 1_000)}…`, body: { message, param } });
    expect(error.requestId).toHaveLength(201);
  });

  test("does not take long to clean, whatever it is made of", async () => {
    const before = process.cpuUsage();

    for (const piece of [
      "&amp;",
      "\\",
      "token=",
      "<token",
      "<a",
      "token",
      " ",
      "%25",
      "live_",
      "eyJ",
      "=\n",
      '"token":"',
    ]) {
      await refusal(piece.repeat(Math.floor(100_000 / piece.length)));
    }

    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(5_000);
  });
});
