// Hono, on Node.js; on Bun, Deno and Workers the default export is all they need: npm run example hono
import { serve } from "@hono/node-server";
import { ComplyCube } from "complycube-tokens";
import { createTokenHandler } from "complycube-tokens/handler";
import { type Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { clientIdOf } from "./users.ts";

const sessions = new Map<string, { clientId: string }>(); // In your app: your own sessions.

const handler = createTokenHandler({
  complycube: new ComplyCube(), // The key comes from COMPLYCUBE_API_KEY.
  target: { referrer: process.env.APP_REFERRER ?? "http://localhost:3000/*" },
  authenticate: (_request, c: Context) => sessions.get(getCookie(c, "session") ?? ""),
});

const app = new Hono();

// `all`, so that the handler also answers 405, and the preflight of the origins that it allows.
app.all("/api/complycube-token", (c) => handler(c.req.raw, c));

// Stands in for your own sign-in, which asks for a password, too.
app.post("/sign-in/:user", (c) => {
  const clientId = clientIdOf(c.req.param("user"));
  if (clientId === undefined) return c.notFound();
  const id = crypto.randomUUID();
  sessions.set(id, { clientId });
  setCookie(c, "session", id, { httpOnly: true, sameSite: "Lax", path: "/" }); // Behind https, `secure` as well.
  return c.body(null, 204);
});

export default app;

if (import.meta.main) serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) });
