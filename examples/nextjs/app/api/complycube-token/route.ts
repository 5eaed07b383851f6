// A Next.js route handler, at app/api/complycube-token/route.ts. Next.js answers other methods with 405.
import { ComplyCube } from "complycube-tokens";
import { createTokenHandler } from "complycube-tokens/handler";
import { sessionOf } from "../../../../sessions.ts"; // In your project: your own session, such as auth().

export const POST = createTokenHandler({
  // A function, because `next build` loads this file where there is no key.
  complycube: new ComplyCube({ apiKey: () => process.env.COMPLYCUBE_API_KEY as string }),
  target: { referrer: "https://www.example.com/*" },
  authenticate: sessionOf,
});

// Next.js would answer it by itself, and know nothing of allowedOrigins.
export const OPTIONS = POST;
