// Hono, on Node.js; on Bun, Deno and Workers the default export is all they need: npm run example hono
import { serve } from "@hono/node-server";
import { ComplyCube } from "complycube-tokens";
import { createTokenHandler } from "complycube-tokens/handler";
import { Hono } from "hono";
import { sessionOf, signIn } from "./sessions.ts";

const handler = createTokenHandler({
  complycube: new ComplyCube(), // The key comes from COMPLYCUBE_API_KEY.
  target: { referrer: process.env.APP_REFERRER ?? "http://localhost:3000/*" },
  authenticate: sessionOf,
});

const app = new Hono();

// `all`, so that the handler also answers 405, and the preflight of the origins that it allows.
app.all("/api/complycube-token", (c) => handler(c.req.raw));

app.post("/sign-in/:user", (c) => {
  const cookie = signIn(c.req.param("user"));
  if (cookie === undefined) return c.notFound();
  return c.body(null, 204, { "set-cookie": cookie });
});

export default app;

if (import.meta.main) serve({ fetch: app.fetch, port: 3000 });
