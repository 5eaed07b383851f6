// Fastify with @fastify/session: npm run example fastify
import { randomUUID } from "node:crypto";
import fastifyCookie from "@fastify/cookie";
import fastifySession from "@fastify/session";
import { getRequestListener } from "@hono/node-server";
import { ComplyCube } from "complycube-tokens";
import { createTokenHandler } from "complycube-tokens/handler";
import Fastify, { type FastifyRequest } from "fastify";
import { clientIdOf } from "./users.ts";

declare module "fastify" {
  interface Session {
    clientId: string;
  }
}

const handler = createTokenHandler({
  complycube: new ComplyCube(), // The key comes from COMPLYCUBE_API_KEY.
  target: { referrer: process.env.APP_REFERRER ?? "http://localhost:3000/*" },
  authenticate(_request, { session }: FastifyRequest) {
    const { clientId } = session;
    return clientId ? { clientId } : undefined;
  },
});

export const app = Fastify();
await app.register(fastifyCookie);
await app.register(fastifySession, {
  secret: process.env.SESSION_SECRET ?? randomUUID(),
  saveUninitialized: false,
  cookie: { sameSite: "lax", secure: "auto" },
});

app.register(async (endpoint) => {
  // No body is read, so none is refused: Fastify would answer an empty JSON body with 400, and a form with 415.
  endpoint.removeAllContentTypeParsers();
  endpoint.addContentTypeParser("*", (_request, _body, done) => done(null));
  // `all`, so that the handler also answers 405, and the preflight of the origins that it allows.
  endpoint.all("/api/complycube-token", (request, reply) => {
    reply.hijack(); // The handler writes the answer itself.
    const listener = getRequestListener((web) => handler(web, request), { overrideGlobalObjects: false });
    return listener(request.raw, reply.raw);
  });
});

// Stands in for your own sign-in, which asks for a password, too.
app.post<{ Params: { user: string } }>("/sign-in/:user", async (request, reply) => {
  const clientId = clientIdOf(request.params.user);
  if (clientId === undefined) return reply.code(404).send();
  await request.session.regenerate();
  request.session.clientId = clientId;
  return reply.code(204).send();
});

if (import.meta.main)
  console.log(`Listening on ${await app.listen({ port: Number(process.env.PORT ?? 3000) })}`);
