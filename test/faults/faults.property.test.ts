import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ComplyCube, ComplyCubeError, type ComplyCubeOptions, type RequestOptions } from "../../src/index.ts";
import { clientOf, clientOver } from "../support/fault-client.ts";
import {
  all,
  answer,
  bytes,
  chunk,
  chunked,
  drip,
  type FaultServer,
  hangUp,
  head,
  json,
  reset,
  type Step,
  stall,
  startFaultServer,
} from "../support/fault-server.ts";
import { KEY, TOKEN } from "../support/leak-scan.ts";
import { settle, TARGET } from "../support/settle.ts";
import { MINTED, REFUSAL } from "./scenarios/scenario.ts";
import { transports } from "./transports.ts";

const SLACK_MS = 10_000;

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.001);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Everything that JSON can say, with `token` in it more often than chance would have it. */
const tokenLike = fc.oneof(
  fc.constantFrom<unknown>(TOKEN, "", " ", null, 42, true, [], {}, "a b", "a\nb", "é"),
  fc.string(),
  fc.base64String({ minLength: 1 }),
  fc.jsonValue(),
);
const jsonBody = fc.oneof(
  fc.jsonValue(),
  fc.record({ token: tokenLike }),
  fc.dictionary(fc.constantFrom("token", "type", "message", "param", "__proto__", "error"), tokenLike),
);
const body = fc.oneof(
  jsonBody.map((value) => Buffer.from(JSON.stringify(value))),
  fc.string({ unit: "binary" }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 2_000 }).map((array) => Buffer.from(array)),
  fc.nat(MINTED.length).map((length) => Buffer.from(MINTED.slice(0, length))),
);
const status = fc.oneof(
  fc.constantFrom(200, 201, 400, 401, 403, 429, 500, 503),
  fc.integer({ min: 200, max: 599 }),
);

/** What a body says the token is, by the shortest reading there is. */
function tokenIn(body: Buffer): string | undefined {
  try {
    const token: unknown = Object.entries(JSON.parse(new TextDecoder().decode(body))).find(
      ([name]) => name === "token",
    )?.[1];
    return typeof token === "string" && /^[!-~]+$/.test(token) ? token : undefined;
  } catch {
    return undefined;
  }
}

describe.each(transports)("generate over $name", ({ fetch }) => {
  test("settles to the token of a 2xx or to the class of the status, for any status and body", async () => {
    let step: Step = stall;
    await withServer([(socket, request) => step(socket, request)], async (server) => {
      const complycube = clientOf(server, { maxRetries: 0, fetch });
      await fc.assert(
        fc.asyncProperty(status, body, fc.boolean(), async (status, body, inChunks) => {
          const empty = status === 204 || status === 205 || status === 304;
          step = empty
            ? bytes(head(status))
            : inChunks
              ? chunked(status, body.length ? [body] : [])
              : answer(status, body);

          const { token, error, elapsedMs } = await timed(complycube);

          expect(elapsedMs).toBeLessThan(10_000 + SLACK_MS);
          if (status >= 200 && status <= 299) {
            expect(token).toBe(empty ? undefined : tokenIn(body));
            if (token === undefined)
              expect(error).toMatchObject({ name: "InvalidResponseError", code: "invalid_response", status });
          } else if ([301, 302, 303, 307, 308].includes(status) || (status === 407 && fetch !== undefined)) {
            expect(error).toMatchObject({ name: "ConnectionError", code: "connection" });
          } else {
            expect(error).toMatchObject({ code: "api", status });
          }
        }),
        { numRuns: 500 },
      );
    });
  });

  test("settles within its bounds to a token or one of our errors, for any sequence of faults", async () => {
    const faults: Record<string, Step> = {
      token: answer(200, MINTED),
      reset,
      hangUp,
      stall,
      "half a head": all(bytes("HTTP/1.1 200 OK\r\nx-a"), hangUp),
      "stalled head": all(bytes("HTTP/1.1 200 OK\r\n"), stall),
      "stalled body": all(bytes(head(200, { "content-length": "99" }), "{"), stall),
      "broken body": all(bytes(head(500, { "content-length": "99" }), "{"), reset),
      "dripping body": all(bytes(head(200, { "transfer-encoding": "chunked" })), drip(chunk(" "))),
      "dripping error": all(bytes(head(400, { "transfer-encoding": "chunked" })), drip(chunk(" "))),
      garbage: all(bytes("\u0000\u0001\r\n\r\n"), hangUp),
      redirect: answer(307, "", { location: "/" }),
      html: answer(200, "<html></html>"),
      refusal: json(400, REFUSAL),
      busy: json(503, REFUSAL),
      "busy for a moment": json(429, REFUSAL, { "retry-after": "0.005" }),
      "busy for long": json(429, REFUSAL, { "retry-after": "61" }),
    };
    const sequence = fc.array(fc.constantFrom(...Object.keys(faults)), { minLength: 1, maxLength: 5 });
    const abortAfterMs = fc.option(fc.nat(300), { nil: undefined, freq: 3 });
    await fc.assert(
      fc.asyncProperty(
        sequence,
        fc.nat(4),
        fc.integer({ min: 30, max: 120 }),
        abortAfterMs,
        async (names, maxRetries, timeoutMs, abortAfterMs) => {
          await withServer(
            names.map((name) => faults[name] as Step),
            async (server) => {
              const complycube = clientOf(server, { maxRetries, timeoutMs, fetch });
              const caller = new AbortController();
              const timer =
                abortAfterMs === undefined
                  ? undefined
                  : setTimeout(() => caller.abort("enough"), abortAfterMs);

              const { token, error, elapsedMs } = await timed(complycube, { signal: caller.signal });
              clearTimeout(timer);

              const last = names[Math.min(server.received.length, names.length) - 1];
              if (token !== undefined) expect([token, last]).toEqual([TOKEN, "token"]);
              else expect(error === "enough" || error instanceof ComplyCubeError, String(error)).toBe(true);
              expect(server.received.length).toBeLessThanOrEqual(maxRetries + 1);
              expect(elapsedMs).toBeLessThan((maxRetries + 1) * (timeoutMs + 600) + SLACK_MS);
              await vi.waitFor(() => expect(server.busy()).toBe(0), SLACK_MS);
            },
          );
        },
      ),
      { numRuns: 60, endOnFailure: true },
    );
  });
});

describe("generate", () => {
  test("settles to the class of the status, for any header values", async () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom(
        KEY,
        TOKEN,
        "0",
        "-1",
        "1e9",
        "soon",
        new Date(0).toUTCString(),
        "gzip",
        "chunked",
        "/elsewhere",
      ),
      fc.nat().map(String),
    );
    const value = text.filter((text) => /^[\t\x20-\x7e]*$/.test(text));
    const names = [
      "retry-after",
      "date",
      "x-request-id",
      "cf-ray",
      "content-type",
      "content-length",
      "content-encoding",
      "location",
    ];
    await fc.assert(
      fc.asyncProperty(status, fc.dictionary(fc.constantFrom(...names), value), async (status, headers) => {
        const bare = status === 204 || status === 205 || status === 304;
        const respond = async () => new Response(bare ? null : MINTED, { status, headers });

        const { token, error } = await settle(clientOver(respond, { maxRetries: 0 }));

        if (token === undefined) expect(error).toBeInstanceOf(ComplyCubeError);
        else expect([token, status >= 200 && status <= 299]).toEqual([TOKEN, true]);
        const { retryAfterMs, requestId } = (error ?? {}) as { retryAfterMs?: number; requestId?: string };
        if (retryAfterMs !== undefined) expect(retryAfterMs).toBeGreaterThanOrEqual(0);
        if (requestId !== undefined) expect(requestId).toBeTypeOf("string");
      }),
      { numRuns: 500 },
    );
  });

  test("takes an option or throws a TypeError or RangeError that names it and sends nothing, for any value", async () => {
    const value = fc.oneof(fc.anything(), fc.integer(), fc.double(), fc.string(), fc.func(fc.anything()));
    const clientOption = fc.constantFrom(
      "apiKey",
      "baseUrl",
      "timeoutMs",
      "maxRetries",
      "onAttempt",
      "dangerouslyAllowBrowser",
      "dangerouslyAllowPlainHttp",
      "allowAnyReferrer",
      "allowReferrerPath",
    );
    const callOption = fc.constantFrom(
      "signal",
      "timeoutMs",
      "maxRetries",
      "allowAnyReferrer",
      "allowReferrerPath",
    );
    const send = vi.fn(async () => new Response(MINTED));
    await fc.assert(
      fc.asyncProperty(clientOption, callOption, value, async (clientOption, callOption, value) => {
        for (const [name, options, callOptions] of [
          [clientOption, { [clientOption]: value }, {}],
          [callOption, {}, { [callOption]: value }],
        ] as [string, ComplyCubeOptions, RequestOptions][]) {
          send.mockClear();
          const outcome = await generate(
            { apiKey: KEY, fetch: send, maxRetries: 0, ...options },
            callOptions,
          );

          if (outcome === TOKEN) continue;
          expect(outcome === undefined ? "" : (outcome as Error).name).toMatch(/^(TypeError|RangeError)$/);
          expect((outcome as Error).message).toContain(name);
          expect(send).not.toHaveBeenCalled();
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("settles to a token or one of our errors, for any thing that the fetch option gives or throws", async () => {
    const thing = fc.oneof(
      fc.anything(),
      fc.record({
        status: fc.anything(),
        headers: fc.constant(new Headers()),
        body: fc.anything(),
        text: fc.func(fc.anything()),
      }),
      fc.record({
        status: status,
        headers: fc.constant(new Headers()),
        body: fc.constant(null),
        text: fc.func(fc.oneof(fc.anything(), fc.constant(MINTED))),
      }),
    );
    await fc.assert(
      fc.asyncProperty(thing, fc.boolean(), async (thing, throws) => {
        const misbehave = (async () => {
          if (throws) throw thing;
          return thing;
        }) as unknown as () => Promise<Response>;

        const { token, error } = await settle(clientOver(misbehave, { maxRetries: 0 }));

        if (token === undefined) expect(error).toBeInstanceOf(ComplyCubeError);
        else expect(token).toBe(TOKEN);
      }),
      { numRuns: 1_000 },
    );
  });
});

async function withServer(steps: Step[], use: (server: FaultServer) => Promise<void>): Promise<void> {
  const server = await startFaultServer({ steps });
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

async function timed(complycube: ComplyCube, options?: RequestOptions) {
  const startedAt = performance.now();
  const settled = await settle(complycube, options);
  return { ...settled, elapsedMs: performance.now() - startedAt };
}

/** The token, or whatever was thrown at construction or by the call. */
async function generate(options: ComplyCubeOptions, callOptions: RequestOptions): Promise<unknown> {
  try {
    return await new ComplyCube(options).token.generate("CLIENT_ID", TARGET, callOptions);
  } catch (error) {
    return error;
  }
}
