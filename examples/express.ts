// Express, which serves the page as well: npm run example express
import { fileURLToPath } from "node:url";
import { getRequestListener } from "@hono/node-server";
import { ComplyCube } from "complycube-tokens";
import { createTokenHandler } from "complycube-tokens/handler";
import express from "express";
import { sessionOf, signIn } from "./sessions.ts";

const handler = createTokenHandler({
  complycube: new ComplyCube(), // The key comes from COMPLYCUBE_API_KEY.
  target: { referrer: process.env.APP_REFERRER ?? "http://localhost:3000/*" },
  authenticate: sessionOf,
});

export const app = express();

// `all`, so that the handler also answers 405, and the preflight of the origins that it allows.
app.all("/api/complycube-token", getRequestListener(handler, { overrideGlobalObjects: false }));

app.post("/sign-in/:user", (request, response) => {
  const cookie = signIn(request.params.user);
  if (cookie === undefined) response.status(404).end();
  else response.status(204).setHeader("set-cookie", cookie).end();
});

app.use(express.static(fileURLToPath(new URL("page/", import.meta.url))));

if (import.meta.main) app.listen(3000, () => console.log("Open http://localhost:3000"));
