import { inject } from "vitest";
import { createClient, generateToken } from "../../src/client.ts";
import type { TokenTarget } from "../../src/core/client/target.ts";
import { createTokensFetch } from "../../src/fetch.ts";
import { ComplyCube, type ComplyCubeApiError } from "../../src/index.ts";

/** What a call came to, whichever client made it. */
export interface Outcome {
  token?: string;
  failure?: { status: number; type?: unknown; message?: unknown; param?: unknown };
}

/** One of the three clients of the package, driven the same way. */
export interface ContractClient {
  name: string;
  mint(target: TokenTarget, prefer?: string): Promise<Outcome>;
}

const apiKey = "test_CONTRACT_KEY";
const clientId = "CLIENT_ID";

/** What Prism found wrong with the requests since the last `takeViolations`. */
const violations: string[] = [];

/** Returns what Prism found wrong since the last time, and forgets it. */
export function takeViolations(): string[] {
  return violations.splice(0);
}

/** A fetch that can ask Prism for one of its answers, and remembers what Prism finds wrong with a request. */
export async function watchedFetch(request: Request, prefer?: string): Promise<Response> {
  if (prefer !== undefined) request.headers.set("prefer", prefer);
  const response = await fetch(request);
  const found = response.headers.get("sl-violations");
  if (found !== null) violations.push(found);
  return response;
}

export const contractClients: ContractClient[] = [
  {
    name: "ComplyCube",
    async mint(target, prefer) {
      const complycube = new ComplyCube({
        apiKey,
        baseUrl: inject("prismUrl"),
        rateLimit: false,
        maxRetries: 0,
        fetch: (url, init) => watchedFetch(new Request(url, init), prefer),
      });
      return complycube.token.generate(clientId, target).then(
        (token) => ({ token }),
        ({ status, type, message, param }: ComplyCubeApiError) => ({
          failure: { status, type, message, param },
        }),
      );
    },
  },
  {
    name: "createTokensFetch",
    async mint(target, prefer) {
      const client = createTokensFetch({
        apiKey,
        baseUrl: inject("prismUrl"),
        fetch: (request) => watchedFetch(request, prefer),
      });
      const { data, error, response } = await client.POST("/v1/tokens", { body: { clientId, ...target } });
      return data ? { token: data.token } : { failure: { ...error, status: response.status } };
    },
  },
  {
    name: "Hey API client",
    async mint(target, prefer) {
      const client = createClient({
        auth: apiKey,
        baseUrl: inject("prismUrl"),
        fetch: (input) => watchedFetch(input as Request, prefer),
      });
      const { data, error, response } = await generateToken({ client, body: { clientId, ...target } });
      return data ? { token: data.token } : { failure: { ...error, status: response?.status ?? 0 } };
    },
  },
];
