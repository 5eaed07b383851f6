import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { type AttemptEvent, ComplyCube, ConnectionError } from "../../src/index.ts";
import { clientOf, clientOver, watchedClientOf } from "../support/fault-client.ts";
import { answer, json, reset, startFaultServer } from "../support/fault-server.ts";
import { KEY, leaks, TOKEN } from "../support/leak-scan.ts";
import { caught, settle, TARGET } from "../support/settle.ts";
import { MINTED, REFUSAL } from "./scenarios/scenario.ts";
import { transports } from "./transports.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe("the leak scan", () => {
  const hiding: [string, (secret: string) => unknown][] = [
    ["a message", (secret) => new Error(`for ${secret}`)],
    ["a cause", (secret) => new Error("no", { cause: new Error(secret) })],
    [
      "a header of a request",
      (secret) =>
        Object.assign(new Error("no"), {
          request: new Request("http://a", { headers: { authorization: secret } }),
        }),
    ],
    ["a hidden property", (secret) => Object.defineProperty(new Error("no"), "key", { value: secret })],
    [
      "a getter",
      (secret) => ({
        get key() {
          return secret;
        },
      }),
    ],
    ["a symbol", (secret) => ({ [Symbol("key")]: secret })],
    ["deep down", (secret) => ({ a: { b: { c: { d: { e: { f: [new Map([["k", secret]])] } } } } } })],
    ["toJSON", (secret) => ({ toJSON: () => secret })],
    ["one half", (secret) => ({ key: secret.slice(0, -5) })],
  ];

  test.each(hiding)("finds a secret in %s", (_, hide) => {
    expect(leaks(hide(KEY), [KEY])).not.toEqual([]);
    expect(leaks(hide(TOKEN), [TOKEN])).not.toEqual([]);
    expect(leaks(hide("nothing to see"), [KEY, TOKEN])).toEqual([]);
  });
});

describe("a client", () => {
  test("shows neither key nor token, however it is printed", async () => {
    const complycube = clientOver(async () => new Response(MINTED));

    await complycube.token.generate("CLIENT_ID", TARGET);

    expect(leaks(complycube, [KEY, TOKEN])).toEqual([]);
    expect(leaks(complycube.token, [KEY, TOKEN])).toEqual([]);
    expect(leaks({ ...complycube, ...complycube.token }, [KEY, TOKEN])).toEqual([]);
  });

  test("has no field, and no function, through which its options could be read", () => {
    const complycube = clientOver(async () => new Response(MINTED));

    expect(Reflect.ownKeys(complycube)).toEqual(["token"]);
    expect(Reflect.ownKeys(complycube.token)).toEqual(["generate"]);
  });

  test("shows no key that came from the environment", () => {
    vi.stubEnv("COMPLYCUBE_API_KEY", KEY);

    expect(leaks(new ComplyCube(), [KEY])).toEqual([]);
  });
});

describe("a key that cannot be one", () => {
  const rubbish: [string, unknown, string?][] = [
    ["with a line break", `${KEY}\n${KEY}`],
    ["with a line break after it", `${KEY}\n`],
    ["with a space before it", ` ${KEY}`],
    ["with a control character", `${KEY}\u0000`],
    ["outside Latin-1", `${KEY}\u2026`],
    ["outside ASCII", `${KEY}é`],
    ["with Bearer before it", `Bearer ${KEY}`],
    ["in an object", { key: KEY }],
    ["in an array", [KEY]],
    ["of nothing", ""],
    ["of blanks", "  "],
    ["that is a number", 42],
  ];

  test.each(rubbish)("%s is refused at construction without being shown", (_, apiKey) => {
    const error = caught(() => new ComplyCube({ apiKey: apiKey as string }));

    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toMatch(/^apiKey /);
    expect(leaks(error, [KEY])).toEqual([]);
  });

  test.each([...rubbish, ["that is undefined", undefined], ["that is null", null]] as typeof rubbish)(
    "%s, given by a function, rejects the call without being shown or sent",
    async (_, key) => {
      const send = vi.fn(async () => new Response(MINTED));
      for (const apiKey of [() => key as string, async () => key as string]) {
        const { error } = await settle(clientOver(send, { apiKey }));

        expect(error).toBeInstanceOf(TypeError);
        expect((error as Error).message).toMatch(/^The result of the apiKey function /);
        expect(leaks(error, [KEY])).toEqual([]);
      }
      expect(send).not.toHaveBeenCalled();
    },
  );
});

describe("an apiKey function", () => {
  test.each<[string, () => string | Promise<string>]>([
    [
      "throws an Error",
      () => {
        throw new Error(`cannot decrypt ${KEY}`);
      },
    ],
    ["rejects with an Error", () => Promise.reject(new Error(`cannot decrypt ${KEY}`))],
    [
      "rejects with an Error that holds more",
      () => Promise.reject(Object.assign(new Error("no"), { response: { body: KEY } })),
    ],
    [
      "throws a string",
      () => {
        throw KEY;
      },
    ],
    [
      "throws an object",
      () => {
        throw { key: KEY };
      },
    ],
    [
      "throws nothing",
      () => {
        throw undefined;
      },
    ],
  ])(
    "that %s rejects that call with a TypeError that shows no key, and is not asked again",
    async (_, give) => {
      const send = vi.fn(async () => new Response(MINTED));
      const apiKey = vi.fn(give);

      const { error } = await settle(clientOver(send, { apiKey }));

      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).toBe("The apiKey function threw instead of returning a key.");
      expect(leaks(error, [KEY])).toEqual([]);
      expect(apiKey).toHaveBeenCalledOnce();
      expect(send).not.toHaveBeenCalled();
    },
  );

  test("keeps what the function threw as the cause, without the key", async () => {
    const failure = Object.assign(new Error(`vault is sealed for ${KEY}`), { code: "SEALED" });
    const apiKey = () => Promise.reject(failure);

    const { error } = await settle(clientOver(async () => new Response(MINTED), { apiKey }));

    expect((error as Error).cause).toMatchObject({
      message: "vault is sealed for [redacted]",
      code: "SEALED",
    });
  });

  test("that never answers is ended by timeoutMs, and asked again by a retry", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const send = vi.fn(async () => new Response(MINTED));
    const apiKey = vi.fn(() => new Promise<string>(() => {}));

    const { error } = await settle(clientOver(send, { apiKey, timeoutMs: 50, maxRetries: 1 }));

    expect(error).toMatchObject({ name: "TimeoutError", code: "timeout", attempts: 2 });
    expect(apiKey).toHaveBeenCalledTimes(2);
    expect(send).not.toHaveBeenCalled();
  });

  test("that answers after the deadline has nothing sent with its key", async () => {
    const send = vi.fn(async () => new Response(MINTED));
    const apiKey = () => new Promise<string>((resolve) => setTimeout(resolve, 80, KEY));

    const { error } = await settle(clientOver(send, { apiKey, timeoutMs: 20, maxRetries: 0 }));
    await new Promise((resolve) => setTimeout(resolve, 120));

    expect(error).toMatchObject({ name: "TimeoutError" });
    expect(send).not.toHaveBeenCalled();
  });
});

describe.each(transports)("keys over $name", ({ fetch }) => {
  test("are asked for once for each attempt, and used for that attempt alone", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const server = await startFaultServer({ steps: [json(503, REFUSAL), reset, answer(200, MINTED)] });
    let asked = 0;
    const complycube = clientOf(server, { apiKey: async () => `live_KEY_${++asked}`, fetch });

    expect(await complycube.token.generate("CLIENT_ID", TARGET)).toBe(TOKEN);

    expect(server.received.map(({ headers }) => headers.authorization)).toEqual([
      "live_KEY_1",
      "live_KEY_2",
      "live_KEY_3",
    ]);
    expect(asked).toBe(3);
  });

  test.each([
    ["however late each comes", (call: number) => delay(5 * (20 - call))],
    ["even when all come in one tick", (_: number, tick: Promise<void>) => tick],
  ])("never cross between parallel calls, %s", async (_, comes) => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const server = await startFaultServer({
      steps: [json(503, REFUSAL), json(503, REFUSAL), answer(200, MINTED)],
    });
    const tick = delay(20);
    let asked = 0;
    const apiKey = async () => {
      const call = ++asked;
      if (call <= 20) await comes(call, tick);
      return `live_KEY_${call}`;
    };
    const complycube = clientOf(server, { apiKey, fetch });

    // The function is called as soon as generate is: the nth call gets the nth key.
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => complycube.token.generate(`CLIENT_${n + 1}`, TARGET)),
    );

    const sent = server.received.map(({ headers, body }) => [
      headers.authorization,
      JSON.parse(body).clientId,
    ]);
    const firsts = sent.filter(([key]) => Number(key?.split("_")[2]) <= 20);
    expect(firsts).toHaveLength(20);
    for (const [key, client] of firsts) expect(client).toBe(key?.replace("live_KEY", "CLIENT"));
    expect(new Set(sent.map(([key]) => key)).size, "each key is used once").toBe(sent.length);
  });

  test("of no known shape are hidden too", async () => {
    const plain = "s3cr3t/with+odd=signs&more?";
    const server = await startFaultServer({
      steps: [
        json(
          400,
          { message: `Unknown key ${plain}`, param: plain, [plain]: [plain] },
          { "x-request-id": plain },
        ),
      ],
    });
    const { complycube, events } = watchedClientOf(server, { apiKey: plain, fetch });

    const { error } = await settle(complycube);

    expect(error).toMatchObject({ name: "InvalidRequestError", message: "Unknown key [redacted]" });
    expect(leaks([error, events, complycube], [plain])).toEqual([]);
  });
});

describe("a fetch option that fails", () => {
  const request = () =>
    new Request("https://api.complycube.com/v1/tokens", { headers: { authorization: KEY } });

  test.each<[string, () => unknown]>([
    ["an Error with the key in its message", () => new Error(`bad header ${KEY}`)],
    ["an Error with the key in its name", () => Object.assign(new Error("no"), { name: KEY })],
    ["an Error with the key in its code", () => Object.assign(new Error("no"), { code: KEY })],
    [
      "an Error with the headers",
      () => Object.assign(new Error("no"), { config: { headers: { authorization: KEY } } }),
    ],
    ["an Error with the Request", () => Object.assign(new Error("no"), { request: request() })],
    ["an Error with a token", () => Object.assign(new Error(`got ${TOKEN}`), { body: TOKEN })],
    [
      "causes that hold the key",
      () =>
        new Error("a", {
          cause: new Error("b", { cause: Object.assign(new Error(KEY), { request: request() }) }),
        }),
    ],
    ["a cause that is a Request", () => new Error("a", { cause: request() })],
    ["several Errors that hold the key", () => new AggregateError([new Error(KEY), new Error(KEY)], KEY)],
    [
      "an Error that is its own cause",
      () => {
        const error = new Error(KEY);
        error.cause = error;
        return error;
      },
    ],
    [
      "an Error whose message cannot be read",
      () =>
        Object.defineProperty(new Error("no"), "message", {
          get() {
            throw new Error(KEY);
          },
        }),
    ],
    [
      "an Error whose cause cannot be read",
      () =>
        Object.defineProperty(new Error("no"), "cause", {
          get() {
            throw new Error(KEY);
          },
        }),
    ],
    ["a string", () => `no luck with ${KEY}`],
    ["an object", () => ({ headers: { authorization: KEY } })],
    ["a Request", request],
    ["nothing", () => undefined],
  ])("with %s rejects with a ConnectionError that shows no key", async (_, thrown) => {
    const events: AttemptEvent[] = [];
    const onAttempt = (event: AttemptEvent) => events.push(event);
    for (const send of [
      () => {
        throw thrown();
      },
      () => Promise.reject(thrown()),
    ]) {
      const { error } = await settle(clientOver(send, { maxRetries: 0, onAttempt }));

      expect(error).toMatchObject({ name: "ConnectionError", code: "connection", attempts: 1 });
      expect(leaks([error, events], [KEY, TOKEN])).toEqual([]);
    }
  });

  test("keeps the name, message, code, stack and causes of what it threw, without the key", async () => {
    const refused = Object.assign(new Error(`connect for ${KEY}`), { code: "ECONNREFUSED" });
    const several = new AggregateError([refused, new Error("the second address")], "");
    const failure = Object.assign(new TypeError(`fetch failed for ${KEY}`, { cause: several }), {
      code: "E1",
    });

    const { error } = await settle(clientOver(() => Promise.reject(failure), { maxRetries: 0 }));

    expect((error as Error).message).toBe("No answer from https://api.complycube.com: ECONNREFUSED.");
    expect((error as Error).cause).toMatchObject({
      name: "TypeError",
      message: "fetch failed for [redacted]",
      code: "E1",
      stack: expect.stringMatching(/fetch failed for \[redacted\]\n.*secrets\.test\.ts/),
      cause: { name: "AggregateError", cause: { message: "connect for [redacted]", code: "ECONNREFUSED" } },
    });
  });

  test("keeps few causes where an Error is its own cause", async () => {
    const failure = new Error("again");
    failure.cause = failure;

    const { error } = await settle(clientOver(() => Promise.reject(failure), { maxRetries: 0 }));

    let causes = 0;
    for (let at = error as Error | undefined; at !== undefined; at = at.cause as Error | undefined) causes++;
    expect(causes).toBeLessThan(20);
  });

  test("keeps a string that it threw as the cause, without the key", async () => {
    const { error } = await settle(
      clientOver(() => Promise.reject(`no luck with ${KEY}`), { maxRetries: 0 }),
    );

    expect((error as Error).cause).toBe("no luck with [redacted]");
  });

  test.each<[string, () => unknown]>([
    ["nothing", () => undefined],
    ["null", () => null],
    ["a string", () => MINTED],
    ["the parsed body", () => ({ token: TOKEN })],
    ["an object with a status alone", () => ({ status: 200, token: TOKEN })],
  ])("to give a Response, giving %s, rejects with a ConnectionError", async (_, given) => {
    const { error } = await settle(clientOver(async () => given() as Response, { maxRetries: 0 }));

    expect(error).toMatchObject({
      name: "ConnectionError",
      message: "The fetch option did not return a Response.",
    });
    expect(leaks(error, [KEY, TOKEN])).toEqual([]);
  });

  test("to connect, throwing a ConnectionError of its own, shows nothing of it", async () => {
    const own = new ConnectionError(`no way with ${KEY}`, { cause: { headers: { authorization: KEY } } });

    const { error } = await settle(clientOver(() => Promise.reject(own), { maxRetries: 0 }));

    expect(error).toMatchObject({ name: "ConnectionError", code: "connection", attempts: 1 });
    expect(error).not.toBe(own);
    expect(leaks(error, [KEY, TOKEN])).toEqual([]);
  });

  test.each<[string, unknown]>([
    ["are a Map", new Map()],
    ["give numbers", { get: () => 5 }],
    ["give undefined", { get: () => undefined }],
    [
      "throw the key",
      {
        get() {
          throw new Error(KEY);
        },
      },
    ],
  ])("to give headers, which %s, changes nothing about the answer", async (_, headers) => {
    const answer = (status: number) =>
      clientOver(async () => ({ status, headers, text: async () => MINTED }) as unknown as Response, {
        maxRetries: 0,
        onAttempt: () => {},
      });

    const minted = await settle(answer(200));
    const refused = await settle(answer(429));

    expect(minted).toEqual({ token: TOKEN });
    expect(refused.error).toMatchObject({ name: "RateLimitError", status: 429, retryAfterMs: undefined });
    expect(leaks(refused.error, [KEY, TOKEN])).toEqual([]);
  });

  test("to give web streams, giving text of over 1 MiB, rejects with an InvalidResponseError", async () => {
    const text = JSON.stringify({ token: TOKEN, padding: "é".repeat(600_000) }); // Under 1 MiB of characters.
    const respond = async () => ({ status: 200, headers: new Headers(), text: async () => text }) as Response;

    const { error } = await settle(clientOver(respond));

    expect(error).toMatchObject({ name: "InvalidResponseError", status: 200 });
    expect((error as Error).message).toBe("The API answered 200 with more than 1 MiB of body.");
    expect((error as Error).cause).toBeUndefined();
  });

  test("to give web streams, giving text of exactly 1 MiB, still gives its token", async () => {
    const respond = async () =>
      ({ status: 200, headers: new Headers(), text: async () => MINTED.padEnd(1024 * 1024) }) as Response;

    expect(await settle(clientOver(respond))).toEqual({ token: TOKEN });
  });

  test.each<[string, string, (key: string) => string]>([
    ["as it is", 'abcd"efgh\\SECOND+HALF/SECRET', (key) => key],
    ["as JSON does", 'abcd"efgh\\SECOND+HALF/SECRET', (key) => JSON.stringify(key).slice(1, -1)],
    ["as PHP writes JSON", "abcdefgh/SECOND+HALF/SECRET", (key) => key.replaceAll("/", "\\/")],
    ["as a URL does", "abcdefgh/SECOND+HALF/SECRET", encodeURIComponent],
  ])("to hide the key, which an error body spells %s, does not show it", async (_, key, spell) => {
    const body = `Unknown key ${spell(key)}`;
    const client = clientOver(async () => new Response(body, { status: 400 }), { apiKey: key });

    const { error } = await settle(client);

    expect(error).toMatchObject({ name: "InvalidRequestError", body: "Unknown key [redacted]" });
    expect(leaks(error, ["SECOND", "SECRET"])).toEqual([]);
  });

  test.each<[string, () => Response]>([
    [
      "breaks with an Error that holds the key and the token",
      () => new Response(new ReadableStream({ start: (it) => it.error(new Error(`${KEY} ${TOKEN}`)) })),
    ],
    [
      "is read already",
      () => {
        const response = new Response(MINTED);
        void response.text();
        return response;
      },
    ],
    [
      "gives text instead of bytes",
      () => new Response(new ReadableStream({ start: (it) => it.enqueue(MINTED) })),
    ],
  ])("to give a body, which %s, rejects with an InvalidResponseError", async (_, respond) => {
    const { error } = await settle(clientOver(async () => respond()));

    expect(error).toMatchObject({
      name: "InvalidResponseError",
      code: "invalid_response",
      status: 200,
      attempts: 1,
    });
    expect(leaks(error, [KEY, TOKEN])).toEqual([]);
  });

  test("in the body is told with its cause, without the key", async () => {
    const body = () => new ReadableStream({ start: (it) => it.error(new Error(`cut off for ${KEY}`)) });

    const { error } = await settle(clientOver(async () => new Response(body())));

    expect((error as Error).message).toBe(
      "The API answered 200 with a body that broke off or cannot be read.",
    );
    expect((error as Error).cause).toMatchObject({ message: "cut off for [redacted]" });
  });

  test("to give a web stream still gives its token through text()", async () => {
    const likeNodeFetch = {
      status: 200,
      headers: new Headers(),
      body: { pipe: () => {} },
      text: async () => MINTED,
    };

    const { token } = await settle(clientOver(async () => likeNodeFetch as unknown as Response));

    expect(token).toBe(TOKEN);
  });

  test("to notice a redirect gives a ConnectionError, where a browser hides the status", async () => {
    const hidden = { status: 0, type: "opaqueredirect", headers: new Headers(), body: null };

    const { error } = await settle(clientOver(async () => hidden as unknown as Response, { maxRetries: 0 }));

    expect(error).toMatchObject({ name: "ConnectionError" });
  });
});

describe("another account's key", () => {
  test.each([
    ["Unknown key live_c2VjcmV0L2tleQ==", "Unknown key [redacted]"],
    ["Unknown key test_c2VjcmV0L2tleQ==", "Unknown key [redacted]"],
    ["Unknown key live_c2VjcmV0\\/L2tleQ%3D%3D", "Unknown key [redacted]"],
    ["see latest_releases_2026 and test_short", "see latest_releases_2026 and test_short"],
  ])("is known by its shape: %s", async (body, shown) => {
    const { error } = await settle(clientOver(async () => new Response(body, { status: 400 })));

    expect(error).toMatchObject({ name: "InvalidRequestError", body: shown });
  });
});

describe("a token that is no JSON Web Token", () => {
  const opaque = "opaque-4f1c9a2b7d3e";

  test.each([
    ["in JSON", JSON.stringify({ token: opaque, of: [{ token: opaque }] })],
    ["in JSON that breaks off", `{ "token" : "${opaque}`],
    ["in JSON within JSON", JSON.stringify({ token: { token: opaque } })],
  ])("is hidden in the body of an error too, %s", async (_, body) => {
    const { error } = await settle(clientOver(async () => new Response(body, { status: 400 })));

    expect(error).toMatchObject({ name: "InvalidRequestError", status: 400 });
    expect(leaks(error, [opaque])).toEqual([]);
  });

  test("is never taken from a prototype that someone has spoilt", async () => {
    const spoilt = Object.prototype as { token?: string };
    onTestFinished(() => void delete spoilt.token);
    spoilt.token = opaque;

    const settled = await settle(clientOver(async () => new Response("{}")));
    delete spoilt.token; // Else what is asserted on would inherit it too.

    expect(settled.token).toBeUndefined();
    expect(settled.error).toMatchObject({ name: "InvalidResponseError" });
  });
});

describe("misuse", () => {
  test.each<[string, () => unknown]>([
    ["the key instead of the options", () => new ComplyCube(KEY as never)],
    ["the key as base URL", () => new ComplyCube({ apiKey: KEY, baseUrl: KEY })],
    [
      "the key in the base URL",
      () => new ComplyCube({ apiKey: KEY, baseUrl: `https://${encodeURIComponent(KEY)}@example.com` }),
    ],
    [
      "the key in the query",
      () => new ComplyCube({ apiKey: KEY, baseUrl: `https://example.com?key=${encodeURIComponent(KEY)}` }),
    ],
    ["the key as a number", () => new ComplyCube({ apiKey: KEY, timeoutMs: KEY as never })],
    ["the key as fetch", () => new ComplyCube({ apiKey: KEY, rateLimit: false, fetch: KEY as never })],
  ])("of %s shows no key", (_, misuse) => {
    const error = caught(misuse);

    expect(error).toBeInstanceOf(TypeError);
    expect(leaks(error, [KEY])).toEqual([]);
  });

  test("of the token as a call's options shows no token", async () => {
    const complycube = clientOver(async () => new Response(MINTED));

    const error = await complycube.token
      .generate("CLIENT_ID", TARGET, TOKEN as never)
      .catch((error: unknown) => error);

    expect(error).toBeInstanceOf(TypeError);
    expect(leaks(error, [KEY, TOKEN])).toEqual([]);
  });
});
