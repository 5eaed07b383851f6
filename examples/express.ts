// Express with express-session, which serves the page as well: npm run example express
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { getRequestListener } from "@hono/node-server";
import { ComplyCube } from "complycube-tokens";
import { createTokenHandler } from "complycube-tokens/handler";
import express from "express";
import session from "express-session";
import { clientIdOf, saveCapture } from "./users.ts";

declare module "express-session" {
  interface SessionData {
    clientId: string;
  }
}

const handler = createTokenHandler({
  complycube: new ComplyCube(), // The key comes from COMPLYCUBE_API_KEY.
  target: { referrer: process.env.APP_REFERRER ?? "http://localhost:3000/*" },
  authenticate(_request, { incoming }: { incoming: object }) {
    const { clientId } = (incoming as express.Request).session; // With passport: (incoming as express.Request).user
    return clientId ? { clientId } : undefined;
  },
});

export const app = express();
app.use(
  session({
    secret: process.env.SESSION_SECRET ?? randomUUID(),
    resave: false,
    saveUninitialized: false,
    cookie: { sameSite: "lax" }, // Behind https, `secure: true` as well.
  }),
);

// `all`, so that the handler also answers 405, and the preflight of the origins that it allows.
app.all("/api/complycube-token", getRequestListener(handler, { overrideGlobalObjects: false }));

// The page sends what the Web SDK has captured. The session says whose it is.
app.post("/api/verification", express.json(), (request, response) => {
  const { clientId } = request.session;
  if (clientId) saveCapture(clientId, request.body);
  response.status(clientId ? 204 : 401).end();
});

// Stands in for your own sign-in, which asks for a password, too.
app.post("/sign-in/:user", (request, response, next) => {
  const clientId = clientIdOf(request.params.user);
  request.session.regenerate((error) => {
    if (error) return next(error);
    if (clientId) request.session.clientId = clientId;
    response.status(clientId ? 204 : 404).end();
  });
});

app.use(express.static(fileURLToPath(new URL("page/", import.meta.url))));

if (import.meta.main) {
  const port = Number(process.env.PORT ?? 3000);
  app.listen(port, (error) => {
    if (error) throw error; // Express 5 calls back with an error, such as a port that is taken.
    console.log(`Open http://localhost:${port}`);
  });
}
