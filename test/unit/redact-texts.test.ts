import { describe, expect, test } from "vitest";
import { redactCause, redactJson, redactShort } from "../../src/core/redact.ts";

const R = "[redacted]";
const KEY = "opaque/key+1";
const letters = (count: number) => "x".repeat(count);

describe("a text that holds a secret by its shape", () => {
  test.each([
    // A key by its prefix.
    ["key live_12345678 no", `key ${R} no`],
    ["test_12345678, test_87654321", `${R}, ${R}`],
    ["_test_a+/=%\\&#;-", `_${R}`],
    ["live_1234567 is too short", "live_1234567 is too short"],
    ["latest_12345678 is a word", "latest_12345678 is a word"],
    ["LATEST_test_12345678", `LATEST_${R}`],
    // A JSON Web Token, whole or cut off.
    ["a eyJ12345678.e-_9.s1g b", `a ${R} b`],
    ["eyJ12345678 eyJ12345678.", `${R} ${R}`],
    ["eyJ12345678.a.b.c", `${R}.c`],
    ["eyJ1234567.abc", "eyJ1234567.abc"],
    // "token": "…"
    ['{"token": "a b","x":1}', `{"token": "${R}","x":1}`],
    ['{"token":"a","sdkToken" : "b"}', `{"token":"${R}","sdkToken" : "${R}"}`],
    [`token_${letters(34)}="a"`, `token_${letters(34)}="${R}"`],
    [`token_${letters(40)}="a"`, `token_${letters(40)}="a"`],
    ["'my-token-1'=>'a'", `'my-token-1'=>'${R}'`],
    ["token = `a`", `token = \`${R}\``],
    ['\\"token\\":\\"a\\"', `\\"token\\":\\"${R}\\"`],
    ["&quot;token&quot;:&quot;a&quot;", `&quot;token&quot;:&quot;${R}&quot;`],
    ["token=&apos;a&apos;", `token=&apos;${R}&apos;`],
    ["token=&#34;a&#34;", `token=&#34;${R}&#34;`],
    ["token=&#0039;a&#0039;", `token=&#0039;${R}&#0039;`],
    ["token=&#x27;a&#x27;", `token=&#x27;${R}&#x27;`],
    ["token=&#x0022;a&#x0022;", `token=&#x0022;${R}&#x0022;`],
    ['the token "a" is old', 'the token "a" is old'],
    ['token=""', 'token=""'],
    // token=…
    ["?TOKEN=0123456789abcdef&x=1", `?TOKEN=${R}&x=1`],
    ["token : 0123456789abcdef.", `token : ${R}`],
    ["token=0123456789abcde", "token=0123456789abcde"],
    ["token 0123456789abcdef", "token 0123456789abcdef"],
    ...[..." \n\"'\\,;&<>(){}[]"].map((end) => [`token=0123456789abcdef${end}y`, `token=${R}${end}y`]),
    // <token>…
    ["<token>a b</token>", `<token>${R}</token>`],
    ["<TOKEN>a</TOKEN>", `<TOKEN>${R}</TOKEN>`],
    ['<soap:my.accessToken-1 type="a" id="b">c</x>', `<soap:my.accessToken-1 type="a" id="b">${R}</x>`],
    ["<token></token>", "<token></token>"],
    ["<a>token</a>", "<a>token</a>"],
    [`<token ${letters(199)}>a<`, `<token ${letters(199)}>${R}<`],
    [`<token ${letters(200)}>a<`, `<token ${letters(200)}>a<`],
    [`<${letters(40)}token>a<`, `<${letters(40)}token>${R}<`],
    [`<${letters(41)}token>a<`, `<${letters(41)}token>a<`],
  ])("%j becomes %j", (text, redacted) => {
    expect(redactShort(text as string, KEY)).toBe(redacted);
  });
});

describe("a text that holds the key", () => {
  test.each([
    [`a ${KEY} b ${KEY}`, `a ${R} b ${R}`],
    [`${KEY}${KEY}`, `${R}${R}`],
    ["opaque%2Fkey%2B1", R],
    ["opaque%252Fkey%252B1", R],
    ["opaque%25252Fkey%25252B1", R],
    ["opaque&#47;key&#x2b;1!", `${R}!`],
    ["opaque&#047;key&#X02B1", R],
    ["opaque&sol;key&plus;1", R],
    ["opaque&SOL;key&PLUS;1", R],
    ["opaque\\/key\\u002b1", R],
    ["opaque&#47key+1", R],
    ["OPAQUE/Key+1", R],
    ["a\nopaque/\n  key+1\nb", `a\n${R}\nb`],
    [
      KEY.replace(/./g, (one) =>
        one
          .charCodeAt(0)
          .toString(16)
          .replace(/(.)(.)/, "%$1<BR>$2"),
      ),
      R,
    ],
    ["opaque\\x2fkey\\x2B1", R],
    ["opaque/<br>key+<wbr />1", R],
    ["opaque/<BR/>key+1", R],
    ["opaque/\\nkey+\\r\\t1", R],
    ["opaque/\\\n key+1", R],
    ["1 &lt; 2 &nbsp; &amp; 3", "1 &lt; 2 &nbsp; &amp; 3"],
    ["opaque/key", "opaque/key"],
  ])("%j becomes %j", (text, redacted) => {
    expect(redactShort(text, KEY)).toBe(redacted);
  });

  test.each<[string, string]>([
    ["a<b>c", "a&lt;b&gt;c"],
    ["a\"b'c", "a&quot;b&apos;c"],
    ["a=b_c", "a&equals;b&lowbar;c"],
    ["a&b", "a&amp;b"],
  ])("%s is known as %s", (key, spelling) => {
    expect(redactShort(`(${spelling})`, key)).toBe(`(${R})`);
  });

  test("that is empty, as while no key is known, is left alone", () => {
    expect(redactShort("nothing to hide", "")).toBe("nothing to hide");
  });

  test("shows 1,000 characters of it", () => {
    expect(redactShort(letters(1_000), KEY)).toBe(letters(1_000));
    expect(redactShort(letters(1_001), KEY)).toBe(`${letters(1_000)}…`);
    expect(redactShort(`${letters(995)}${KEY}`, KEY)).toBe(`${letters(995)}[reda…`);
  });
});

describe("redactJson", () => {
  test("keeps what is no secret, and its shape", () => {
    const value = { a: [1, null, true, "text", { b: [] }], c: undefined };

    expect(redactJson(value, KEY)).toEqual(value);
  });

  test.each([
    [`a ${KEY}`, `a ${R}`],
    [[KEY], [R]],
    [{ [KEY]: KEY }, { [R]: R }],
    [{ sdkToken: { value: 1 } }, { sdkToken: R }],
    [{ TOKENS: [1] }, { TOKENS: R }],
  ])("takes the secret out of %j", (value, redacted) => {
    expect(redactJson(value, KEY)).toEqual(redacted);
  });

  test.each([
    ["objects", (inner: unknown) => ({ a: inner })],
    ["lists", (inner: unknown) => [inner]],
  ])("goes eight %s deep", (_, around) => {
    const nest = (depth: number, inner: unknown): unknown =>
      depth === 0 ? inner : around(nest(depth - 1, inner));

    expect(redactJson(nest(8, 1), KEY)).toEqual(nest(8, 1));
    expect(redactJson(nest(9, 1), KEY)).toEqual(nest(8, R));
  });
});

describe("redactCause", () => {
  const redacted = (cause: unknown) => redactCause(cause, KEY) as Error & { code?: unknown };

  test("keeps name, message, code and stack, without the key", () => {
    const cause = Object.assign(new TypeError(`bad ${KEY}`), { code: `E_${KEY}`, request: KEY });

    const copy = redacted(cause);

    expect(copy).not.toBe(cause);
    expect(copy).toBeInstanceOf(Error);
    expect(copy).toMatchObject({ name: "TypeError", message: `bad ${R}`, code: `E_${R}` });
    expect(copy.stack).toBe(cause.stack?.replaceAll(KEY, R));
    expect(Object.keys(copy)).toEqual(["code"]);
  });

  test("keeps no code that is no text, and no cause where there is none", () => {
    const copy = redacted(Object.assign(new Error("no"), { code: 7 }));

    expect(copy).not.toHaveProperty("code");
    expect(copy).not.toHaveProperty("cause");
  });

  test("cuts a message after 1,000 and a stack after 10,000 characters", () => {
    const copy = redacted(
      Object.assign(new Error(letters(20_000)), { name: letters(2_000), stack: letters(20_000) }),
    );

    expect(copy.message).toBe(`${letters(1_000)}…`);
    expect(copy.name).toBe(`${letters(1_000)}…`);
    expect(copy.stack).toBe(`${letters(10_000)}…`);
  });

  test("keeps the cause of the cause, and of several the first", () => {
    const first = new Error(`first ${KEY}`);

    expect(redacted(new Error("outer", { cause: first }))).toMatchObject({
      cause: { message: `first ${R}` },
    });
    expect(redacted(new AggregateError([first, new Error("second")]))).toMatchObject({
      cause: { message: `first ${R}` },
    });
    expect(redacted(new Error("outer", { cause: KEY })).cause).toBe(R);
  });

  test("follows eight causes", () => {
    let cause: unknown = "the end";
    for (let depth = 0; depth < 20; depth++) cause = new Error(`depth ${depth}`, { cause });

    let depth = 0;
    for (let copy: unknown = redacted(cause); copy instanceof Error; copy = copy.cause) depth++;
    expect(depth).toBe(9);
  });

  test("takes an error of another realm, which is no instance of Error here", () => {
    expect(redacted({ name: "Error", message: "elsewhere", stack: "at x" })).toMatchObject({
      message: "elsewhere",
    });
  });

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a number", 7],
    ["an object without a message", { message: 7 }],
    [
      "a getter that throws",
      {
        get message() {
          throw new Error(KEY);
        },
      },
    ],
  ])("is undefined for %s", (_, cause) => {
    expect(redacted(cause)).toBeUndefined();
  });

  test("is the text, without the key, where a text was thrown", () => {
    expect(redactCause(`bad ${KEY}`, KEY)).toBe(`bad ${R}`);
  });
});
