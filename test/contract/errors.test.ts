import { afterEach, expect, inject, test } from "vitest";
import { ComplyCube } from "../../src/index.ts";
import { takeViolations, watchedFetch } from "../support/contract-clients.ts";

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const classes = [
  { status: 400, name: "InvalidRequestError" },
  { status: 401, name: "AuthenticationError" },
  { status: 402, name: "ComplyCubeApiError" },
  { status: 403, name: "PermissionDeniedError" },
  { status: 404, name: "ComplyCubeApiError" },
  { status: 413, name: "ComplyCubeApiError" },
  { status: 429, name: "RateLimitError" },
  { status: 500, name: "ComplyCubeApiError" },
];

test.each(classes)("rejects with $name when the API answers $status", async ({ status, name }) => {
  const complycube = new ComplyCube({
    apiKey: "test_CONTRACT_KEY",
    rateLimit: false,
    baseUrl: inject("prismUrl"),
    maxRetries: 0,
    fetch: (url, init) => watchedFetch(new Request(url, init), `code=${status}`),
  });

  const call = complycube.token.generate("CLIENT_ID", { appId: "com.myapp.demo.app" });

  await expect(call).rejects.toMatchObject({ name, code: "api", status, attempts: 1 });
});

test("rejects with what the API says of a request that it refuses by itself", async () => {
  const complycube = new ComplyCube({
    apiKey: "test_CONTRACT_KEY",
    rateLimit: false,
    baseUrl: inject("prismUrl"),
    maxRetries: 0,
    fetch: (url, init) => fetch(url, { ...init, body: '{"clientId":"CLIENT_ID","appId":""}' }), // We would refuse it.
  });

  const call = complycube.token.generate("CLIENT_ID", { appId: "com.myapp.demo.app" });

  await expect(call).rejects.toMatchObject({
    name: "InvalidRequestError",
    status: 400,
    type: "invalid_request",
    param: "appId",
  });
});
