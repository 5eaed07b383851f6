// A Next.js route handler, at app/api/complycube-token/route.ts. Next.js answers other methods with 405.
import { ComplyCube } from "complycube-tokens";
import { createTokenHandler } from "complycube-tokens/handler";
import { sessionOf } from "../../../lib/session.ts"; // In your project: your own session, such as auth().

export const POST = createTokenHandler({
  complycube: new ComplyCube(), // The key is looked up when it is needed: `next build` loads this file without one.
  target: { referrer: "https://www.example.com/*" },
  authenticate: sessionOf,
});

// Next.js would answer it by itself, and know nothing of allowedOrigins.
export const OPTIONS = POST;
