import {
  type AttemptEvent,
  AuthenticationError,
  type BatchResult,
  ComplyCube,
  ComplyCubeApiError,
  ComplyCubeError,
  type ComplyCubeErrorCode,
  type ComplyCubeOptions,
  RateLimitError,
  type RateLimiter,
  ReferrerPatternError,
  type RequestOptions,
  type TokenTarget,
} from "complycube-tokens";
import {
  createClient,
  generateToken,
  type TokenRequest,
  type WebTokenRequest,
} from "complycube-tokens/client";
import { createTokensFetch, type paths } from "complycube-tokens/fetch";
import { createTokenHandler, ReferrerMismatchWarning, type TokenHandler } from "complycube-tokens/handler";
import { redisRateLimit } from "complycube-tokens/redis";
import { explainReferrer, type ReferrerExplanation, referrerPatternFor } from "complycube-tokens/referrer";
import { Cluster, Redis } from "ioredis";
import { createClientPool, createCluster, createClient as createRedis, createSentinel } from "redis";

// The client, with every option.
const rateLimit: RateLimiter = redisRateLimit({ store: new Redis(), perSecond: 10, fallbackPerSecond: 2 });
for (const store of [
  new Cluster([{ host: "127.0.0.1" }]),
  createRedis(),
  createRedis({ RESP: 3 }),
  createCluster({ rootNodes: [{}] }),
  createSentinel({ name: "main", sentinelRootNodes: [{ host: "127.0.0.1", port: 26379 }] }),
  createClientPool(),
]) {
  redisRateLimit({ store, perSecond: 10 });
}
// @ts-expect-error no client of Redis
redisRateLimit({ store: { eval: () => {} }, perSecond: 10 });
const options: ComplyCubeOptions = {
  apiKey: async () => "test_key",
  baseUrl: "https://api.complycube.com",
  timeoutMs: 5_000,
  maxRetries: 1,
  rateLimit,
  fetch: (url, init) => globalThis.fetch(url, init),
  onAttempt: (event: AttemptEvent) => console.log(event.durationMs),
  dangerouslyAllowPlainHttp: false,
};
export const complycube = new ComplyCube(options);
const target: TokenTarget = { referrer: referrerPatternFor("https://www.example.com/verify") };
const requestOptions: RequestOptions = { signal: new AbortController().signal, timeoutMs: 1_000 };
export const token: Promise<string> = complycube.token.generate("CLIENT_ID", target, requestOptions);
// @ts-expect-error both
complycube.token.generate("CLIENT_ID", { referrer: "https://www.example.com/*", appId: "com.example.app" });

export async function batch(): Promise<void> {
  for await (const row of complycube.token.generateMany([
    { clientId: "CLIENT_ID", appId: "com.example.app" },
  ])) {
    const result: BatchResult = row;
    console.log(result.request.clientId, row.token ?? row.error);
  }
}

// The errors.
export function explain(error: unknown): ComplyCubeErrorCode | number | undefined {
  if (error instanceof RateLimitError) return error.retryAfterMs;
  if (error instanceof AuthenticationError) return error.status;
  if (error instanceof ComplyCubeApiError) return error.status;
  if (error instanceof ReferrerPatternError) return error.index;
  if (error instanceof ComplyCubeError) return error.code;
  if (error instanceof ReferrerMismatchWarning) return error.message.length;
  return undefined;
}
const explanation: ReferrerExplanation = explainReferrer({
  pattern: "https://www.example.com/*",
  pageUrl: "https://www.example.com/",
});
console.log(explanation.reason);

// The endpoint for a frontend.
export const handler: TokenHandler = createTokenHandler({
  complycube,
  target: { appId: "com.example.app" },
  authenticate: (request: Request) => (request.headers.has("cookie") ? { clientId: "CLIENT_ID" } : undefined),
});

// The two plain clients.
const plain = createTokensFetch({ apiKey: "test_key" });
export async function plainToken(): Promise<string | undefined> {
  const { data, error } = await plain.POST("/v1/tokens", {
    body: { clientId: "CLIENT_ID", referrer: "https://www.example.com/*" },
  });
  const failure: string | undefined = error?.message;
  return data?.token ?? failure;
}
export type Operation = paths["/v1/tokens"]["post"];
const body: TokenRequest = {
  clientId: "CLIENT_ID",
  referrer: "https://www.example.com/*",
} satisfies WebTokenRequest;
export async function generatedToken(): Promise<string | undefined> {
  const { data } = await generateToken({
    client: createClient({ baseUrl: "https://api.complycube.com" }),
    body,
  });
  // @ts-expect-error no client
  await generateToken({ body });
  return data?.token;
}
