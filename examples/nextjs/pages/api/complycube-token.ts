// The same in the Pages Router, at pages/api/complycube-token.ts, with `npm install @hono/node-server hono`.
import { getRequestListener } from "@hono/node-server";
import { ComplyCube } from "complycube-tokens";
import { createTokenHandler } from "complycube-tokens/handler";
import { sessionOf } from "../../lib/session.ts"; // In your project: your own session.

const handler = createTokenHandler({
  complycube: new ComplyCube(), // The key is looked up when it is needed: `next build` loads this file without one.
  target: { referrer: "https://www.example.com/*" },
  authenticate: sessionOf,
});

export default getRequestListener(handler, { overrideGlobalObjects: false });

/** Nothing is to read the body, or answer a broken one with 400. */
export const config = { api: { bodyParser: false } };
