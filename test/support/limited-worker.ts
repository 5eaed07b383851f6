// A Worker that mints in each of the ways that share a limit between requests: /client, /number, /key-function,
// /two-clients and /handler. Everything is kept at module scope, as an isolate does.
import { createTokenHandler } from "../../src/handler/index.ts";
import { ComplyCube, type ComplyCubeOptions } from "../../src/index.ts";

const TARGET = { appId: "com.myapp.demo.app" };

let mints: Record<string, (request: Request) => Promise<Response>> | undefined;
let requests = 0;

function createMints(baseUrl: string): NonNullable<typeof mints> {
  const minting = (options: ComplyCubeOptions, count = 1) => {
    const clients = Array.from({ length: count }, () => new ComplyCube({ baseUrl, ...options }));
    return async () => {
      const client = clients[requests++ % count] as ComplyCube;
      return Response.json({ token: await client.token.generate("CLIENT_ID", TARGET) });
    };
  };
  const apiKey = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return "test_KEY_OF_A_FUNCTION";
  };
  const handler = createTokenHandler({
    complycube: new ComplyCube({ baseUrl, apiKey: "test_KEY_OF_A_HANDLER" }),
    target: TARGET,
    authenticate: () => ({ clientId: "CLIENT_ID" }),
  });
  return {
    "/client": minting({ apiKey: "test_KEY_OF_A_CLIENT" }),
    "/number": minting({ apiKey: "test_KEY_OF_A_NUMBER", rateLimit: 5 }),
    "/key-function": minting({ apiKey }),
    "/two-clients": minting({ apiKey: "test_KEY_OF_TWO" }, 2),
    "/handler": (request) => handler(request),
  };
}

export default {
  async fetch(request: Request, env: { BASE_URL: string }): Promise<Response> {
    mints ??= createMints(env.BASE_URL);
    const mint = mints[new URL(request.url).pathname];
    return mint === undefined ? new Response(null, { status: 404 }) : mint(request);
  },
};
