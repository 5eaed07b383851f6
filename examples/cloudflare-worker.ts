// A Cloudflare Worker, with a KV namespace SESSIONS and the secret COMPLYCUBE_API_KEY.
import { ComplyCube } from "complycube-tokens";
import { createTokenHandler, type TokenHandler } from "complycube-tokens/handler";
import { sessionCookie, sessionId } from "./sessions.ts";

interface Env {
  COMPLYCUBE_API_KEY: string;
  COMPLYCUBE_BASE_URL?: string;
  SESSIONS: {
    get(key: string): Promise<string | null>;
    put(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
  };
}

let handler: TokenHandler | undefined;

/** Made with the first request, which brings the secrets, and kept for the next ones. */
function createHandler(env: Env): TokenHandler {
  return createTokenHandler({
    complycube: new ComplyCube({ apiKey: env.COMPLYCUBE_API_KEY, baseUrl: env.COMPLYCUBE_BASE_URL }),
    target: { referrer: "https://www.example.com/*" },
    async authenticate({ headers }) {
      const id = sessionId(headers);
      const clientId = id && (await env.SESSIONS.get(`session:${id}`));
      return clientId ? { clientId } : undefined;
    },
  });
}

/** Stands in for your own sign-in. The client ID was stored with the user when the ComplyCube client was created. */
async function signIn(user: string, env: Env): Promise<Response> {
  const clientId = await env.SESSIONS.get(`user:${user}`);
  if (clientId === null) return new Response(null, { status: 404 });
  const id = crypto.randomUUID();
  await env.SESSIONS.put(`session:${id}`, clientId, { expirationTtl: 3_600 });
  return new Response(null, { status: 204, headers: { "set-cookie": sessionCookie(id) } });
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/complycube-token") {
      handler ??= createHandler(env);
      return handler(request);
    }
    const user = request.method === "POST" && /^\/sign-in\/(\w+)$/.exec(pathname)?.[1];
    return user ? signIn(user, env) : new Response("Not found", { status: 404 });
  },
};
