// A Cloudflare Worker has types of its own: neither DOM's nor those of Node.js.
import { ComplyCube } from "complycube-tokens";
import { createTokenHandler } from "complycube-tokens/handler";

interface Env {
  COMPLYCUBE_API_KEY: string;
  GATEWAY: Fetcher;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const apiKey = env.COMPLYCUBE_API_KEY;
    const complycube = new ComplyCube({ apiKey, fetch });
    const throughBinding = new ComplyCube({ apiKey, fetch: (url, init) => env.GATEWAY.fetch(url, init) });
    const target = { referrer: "https://www.example.com/*" };
    if (request.method === "GET")
      return new Response(await throughBinding.token.generate("CLIENT_ID", target));
    return createTokenHandler({ complycube, target, authenticate: () => undefined })(request);
  },
};
