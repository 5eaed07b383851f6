import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { root } from "../../scripts/root.ts";
import { inspectToken } from "../../src/index.ts";

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
console.log(`fast-check seed: ${seed} (set FC_SEED to repeat)`);
fc.configureGlobal({ seed, numRuns: 2_000 });

const THREE_PARTS =
  "token is not a JSON Web Token: it must be three parts in base64url with dots between them.";
const NO_OBJECT = "token is not a JSON Web Token: its second part must be a JSON object in base64url.";

const encode = (payload: string | Uint8Array) => Buffer.from(payload).toString("base64url");

/** A token as an API makes one. */
function sign(payload: string | Uint8Array): string {
  const signed = `${encode('{"alg":"HS256","typ":"JWT"}')}.${encode(payload)}`;
  return `${signed}.${createHmac("sha256", "SECRET").update(signed).digest("base64url")}`;
}

describe("inspectToken", () => {
  test("tells when a token was minted, when it expires, and every claim", () => {
    const claims = { clientId: "CLIENT_ID", referrer: "https://www.example.com/*", iat: 1_700_000_000 };

    const contents = inspectToken(sign(JSON.stringify({ ...claims, exp: 1_700_003_600 })));

    expect(contents).toEqual({
      issuedAt: new Date("2023-11-14T22:13:20Z"),
      expiresAt: new Date("2023-11-14T23:13:20Z"),
      claims: { ...claims, exp: 1_700_003_600 },
    });
  });

  test.each([
    ["absent", "{}"],
    ["a string", '{"exp":"1700000000","iat":"1700000000"}'],
    ["null", '{"exp":null,"iat":null}'],
    ["too large for a Date", '{"exp":8640000000001,"iat":1e400}'],
  ])("gives no time for a claim that is %s", (_, payload) => {
    const { expiresAt, issuedAt, claims } = inspectToken(sign(payload));

    expect(expiresAt).toBeUndefined();
    expect(issuedAt).toBeUndefined();
    expect(claims).toEqual(JSON.parse(payload));
  });

  test.each([
    [0, "1970-01-01T00:00:00.000Z"],
    [-1.5, "1969-12-31T23:59:58.500Z"],
    [8_640_000_000_000, "+275760-09-13T00:00:00.000Z"],
  ])("reads %d as seconds since 1970", (exp, expected) => {
    expect(inspectToken(sign(JSON.stringify({ exp }))).expiresAt?.toISOString()).toBe(expected);
  });

  test("reads JSON with line breaks in it", () => {
    expect(inspectToken(sign('{\n\t"exp": 0\n}')).claims).toEqual({ exp: 0 });
  });

  test("reads UTF-8", () => {
    const claims = { name: "Żółć 名前 🎫 ÿ>?" };

    expect(inspectToken(sign(JSON.stringify(claims))).claims).toEqual(claims);
  });

  test("takes any object back out that a token holds, padded or not", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()), (claims) => {
        const payload = JSON.stringify(claims);
        const padded = Buffer.from(payload).toString("base64").replaceAll("+", "-").replaceAll("/", "_");

        expect(inspectToken(sign(payload)).claims).toEqual(JSON.parse(payload));
        expect(inspectToken(`${encode("{}")}=.${padded}.`).claims).toEqual(JSON.parse(payload));
      }),
    );
  });

  test.each([
    ["undefined", undefined, "token must be a string, not undefined."],
    ["null", null, "token must be a string, not null."],
    ["the JSON around a token", { token: sign("{}") }, "token must be a string, not an object."],
    ["nothing", "", THREE_PARTS],
    ["a line break at the end", `${sign("{}")}\n`, THREE_PARTS],
    ["a scheme in front", `Bearer ${sign("{}")}`, THREE_PARTS],
    ["four parts", `${sign("{}")}.e30`, THREE_PARTS],
    ["two parts", "e30.e30", THREE_PARTS],
    ["no header", ".e30.e30", THREE_PARTS],
    ["no payload", "e30..e30", THREE_PARTS],
    ["padding in the middle", "e30.e=30.e30", THREE_PARTS],
    ["Base64 that is not for URLs", "e30.e+/0.e30", THREE_PARTS],
    ["a length that Base64 never has", "e30.e30ab.e30", NO_OBJECT],
    ["broken JSON", sign("{"), NO_OBJECT],
    ["null in JSON", sign("null"), NO_OBJECT],
    ["an array", sign("[1]"), NO_OBJECT],
    ["a text", sign('"text"'), NO_OBJECT],
    ["a number", sign("1700000000"), NO_OBJECT],
    ["broken UTF-8", sign(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)), NO_OBJECT],
    ["a million brackets", sign("[".repeat(1_000_000)), NO_OBJECT],
  ])("refuses %s", (_, token, message) => {
    expect(() => inspectToken(token as string)).toThrow(new TypeError(message));
  });

  test("refuses the placeholder that the mock answers with", () => {
    const spec = readFileSync(`${root}openapi/openapi.yaml`, "utf8");
    const [, token = ""] = /^ +token: (.+)$/m.exec(spec) ?? [];

    expect(token).toMatch(/TOKEN/);
    expect(() => inspectToken(token)).toThrow(new TypeError(THREE_PARTS));
  });

  test("throws nothing but its own TypeErrors, which show nothing of the token", () => {
    const segment = fc.oneof(
      fc.stringMatching(/^[0-9!#+/=<> ]{12,40}$/),
      fc.stringMatching(/^[\w-]{12,40}$/),
      fc.json().map(encode),
      fc.uint8Array({ minLength: 9 }).map(encode),
    );
    const token = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join("."));
    fc.assert(
      fc.property(token, (text) => {
        let thrown: unknown;
        try {
          const { claims } = inspectToken(text);
          expect(typeof claims).toBe("object");
          return;
        } catch (error) {
          thrown = error;
        }

        expect(thrown).toBeInstanceOf(TypeError);
        expect([THREE_PARTS, NO_OBJECT]).toContain((thrown as Error).message);
        // A fixed message and its parts, and nothing else: no cause, which would quote the input.
        const fields = ["advice", "argument", "message", "problem", "stack"];
        expect(Object.getOwnPropertyNames(thrown).sort()).toEqual(fields);
        const { argument, problem, advice } = thrown as Record<string, unknown>;
        expect(`${argument} ${problem}.`).toBe((thrown as Error).message);
        expect(advice).toBeUndefined();
      }),
      { numRuns: 300 }, // The scan prints each error in ten ways.
    );
  });
});
