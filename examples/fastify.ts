// Fastify: npm run example fastify
import { getRequestListener } from "@hono/node-server";
import { ComplyCube } from "complycube-tokens";
import { createTokenHandler } from "complycube-tokens/handler";
import Fastify from "fastify";
import { sessionOf, signIn } from "./sessions.ts";

const handler = createTokenHandler({
  complycube: new ComplyCube(), // The key comes from COMPLYCUBE_API_KEY.
  target: { referrer: process.env.APP_REFERRER ?? "http://localhost:3000/*" },
  authenticate: sessionOf,
});
const listener = getRequestListener(handler, { overrideGlobalObjects: false });

export const app = Fastify();

// `all`, so that the handler also answers 405, and the preflight of the origins that it allows.
app.all("/api/complycube-token", (request, reply) => {
  reply.hijack(); // The handler writes the answer itself.
  return listener(request.raw, reply.raw);
});

app.post<{ Params: { user: string } }>("/sign-in/:user", (request, reply) => {
  const cookie = signIn(request.params.user);
  if (cookie === undefined) return reply.code(404).send();
  return reply.code(204).header("set-cookie", cookie).send();
});

if (import.meta.main) console.log(`Listening on ${await app.listen({ port: 3000 })}`);
