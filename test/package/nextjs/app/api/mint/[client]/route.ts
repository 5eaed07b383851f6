// Mints with each client of the package, where Next.js caches all that `fetch` fetches.
import { ComplyCube } from "complycube-tokens";
import { createClient, generateToken } from "complycube-tokens/client";
import { createTokensFetch } from "complycube-tokens/fetch";

export const fetchCache = "default-cache";

const target = { referrer: "https://www.example.com/*" };
const body = { clientId: "CLIENT_ID", ...target };
// Neither has a key when `next build` loads this file.
const complycube = new ComplyCube();
const overFetch = new ComplyCube({ fetch: (url, init) => fetch(url, init) });
const { COMPLYCUBE_API_KEY: apiKey = "test_key", COMPLYCUBE_BASE_URL: baseUrl } = process.env;

const mint: Record<string, () => Promise<string | undefined>> = {
  default: () => complycube.token.generate("CLIENT_ID", target),
  "a-passed-fetch": () => overFetch.token.generate("CLIENT_ID", target),
  fetch: async () => (await createTokensFetch({ apiKey, baseUrl }).POST("/v1/tokens", { body })).data?.token,
  client: async () =>
    (await generateToken({ client: createClient({ auth: apiKey, baseUrl: baseUrl ?? "" }), body })).data
      ?.token,
  // What the test compares with: without it, a change in Next.js would let the test pass for nothing.
  "no-precaution": async () => {
    const answer = await fetch(`${baseUrl}/v1/tokens`, { method: "POST", body: JSON.stringify(body) });
    return (await answer.json()).token;
  },
};

export async function POST(_request: Request, { params }: { params: Promise<{ client: string }> }) {
  const { client } = await params;
  return Response.json({ token: await mint[client]?.() });
}
