// Bun: bun examples/bun.ts
import { ComplyCube } from "complycube-tokens";
import { createTokenHandler } from "complycube-tokens/handler";
import { sessionOf, signIn } from "./sessions.ts";

const handler = createTokenHandler({
  complycube: new ComplyCube(), // The key comes from COMPLYCUBE_API_KEY.
  target: { referrer: process.env.APP_REFERRER ?? "http://localhost:3000/*" },
  authenticate: sessionOf,
  timeoutMs: 9_000, // The default. Bun.serve cuts a request after 10 s, so give it a longer idleTimeout before you raise this.
});

/** What `Bun.serve` takes; Bun serves the default export of the file that it runs. */
export default {
  port: Number(process.env.PORT ?? 3000),
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/complycube-token") return handler(request);
    const user = request.method === "POST" && /^\/sign-in\/(\w+)$/.exec(pathname)?.[1];
    const cookie = user && signIn(user);
    if (!cookie) return new Response("Not found", { status: 404 });
    return new Response(null, { status: 204, headers: { "set-cookie": cookie } });
  },
};
