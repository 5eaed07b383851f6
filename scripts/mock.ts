// The mock API: Prism validates each request and answers it from the spec; what is ours is which example it answers with.
// `npm run mock` runs it until Ctrl-C; `npm run mock -- 4011 --jwt` on another port, with decodable tokens.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { createAdaptorServer } from "@hono/node-server";
import { createLogger } from "@stoplight/prism-core";
import { getHttpOperationsFromSpec } from "@stoplight/prism-http";
import { createServer } from "@stoplight/prism-http-server";
import { root } from "./root.ts";

/**
 * The example of a 400 that fits what Prism found wrong; the first match counts. Prism itself answers with the first
 * example, that of `clientId`, whatever is wrong: it is right for a body that is no object, too.
 */
const EXAMPLE_OF_VIOLATION: [violations: RegExp, example: string][] = [
  [/property '?clientId\b/, "clientId"],
  [/property referrer\b/, "referrer"],
  [/property appId\b/, "appId"],
  [/property 'referrer'.*property 'appId'/, "binding"], // Neither.
  [/found '(?!referrer'|appId')/, "unknownField"],
  [/found 'appId'.*found 'referrer'/, "binding"], // Both.
];

/** Starts the mock; port 0 picks a free one. With `jwt`, a token is a decodable one unless a request prefers another. */
export async function startMock({ port = 0, jwt = false } = {}) {
  const operations = await getHttpOperationsFromSpec(`${root}openapi/openapi.yaml`);
  const contents = operations.flatMap(({ responses }) => responses).flatMap(({ contents = [] }) => contents);
  const jwtExample = contents.flatMap(({ examples = [] }) => examples).find(({ key }) => key === "jwt");
  const checks = { checkSecurity: true, validateRequest: true, validateResponse: true };
  const prism = createServer(operations, {
    cors: true,
    components: { logger: createLogger("prism", { level: "silent" }) },
    config: { ...checks, errors: false, isProxy: false, upstreamProxy: undefined, mock: { dynamic: false } },
  });
  const prismUrl = await prism.listen(0, "127.0.0.1");

  async function answer(request: Request): Promise<Response> {
    const headers = new Headers(request.headers);
    for (const name of ["connection", "content-length", "expect", "host", "transfer-encoding"])
      headers.delete(name); // These are of the connection, and this is another one.
    if (jwt && !headers.has("prefer")) headers.set("prefer", "example=jwt");
    const body = request.body && bodyForPrism(await request.text());
    const ask = () =>
      fetch(prismUrl + new URL(request.url).pathname, { method: request.method, headers, body });

    if (jwtExample) Object.assign(jwtExample, { value: { token: mockToken() } });
    const first = await ask();
    const violations = first.headers.get("sl-violations") ?? "";
    const fitting = EXAMPLE_OF_VIOLATION.find(([pattern]) => pattern.test(violations))?.[1];
    if (first.status !== 400 || fitting === undefined) return first;
    await first.body?.cancel();
    headers.set("prefer", `code=400, example=${fitting}`);
    return ask();
  }

  const server = createAdaptorServer({ fetch: answer, overrideGlobalObjects: false });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await prism.close();
    },
  };
}

/** Prism hangs on a body that is not the JSON it claims to be, and puts field names into a header, which takes ASCII. */
function bodyForPrism(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body)).replace(/[^ -~]/g, "?");
  } catch {
    return "null";
  }
}

/** The spec's own example of a token is of a fixed hour; this one is minted now, as the API's are. */
function mockToken(): string {
  const part = (content: object) => Buffer.from(JSON.stringify(content)).toString("base64url");
  const iat = Math.floor(Date.now() / 1_000);
  const claims = { iss: "a mock of the ComplyCube API", iat, exp: iat + 3_600 };
  return `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.bW9jaw`;
}

if (import.meta.main) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { jwt: { type: "boolean", default: false } },
  });
  const port = Number(positionals[0] ?? 4010);
  const { url } = await startMock({ port, jwt: values.jwt }).catch(({ message }: Error) => {
    console.error(`The mock does not start (${message}). Another port: npm run mock -- 4011`);
    process.exit(1);
  });
  console.log(`The mock ComplyCube API listens on ${url}. Stop it with Ctrl-C.

Try it:

  curl -X POST ${url}/v1/tokens -H 'Authorization: test_key' -H 'Content-Type: application/json' -d '{"clientId":"CLIENT_ID","referrer":"https://www.example.com/*"}'

Use it from your code:

  COMPLYCUBE_BASE_URL=${url} COMPLYCUBE_API_KEY=test_key node your-program.js`);
}
