import { afterEach, describe, expect, test } from "vitest";
import { contractClients, takeViolations } from "../support/contract-clients.ts";
import { errorExamples } from "../support/spec.ts";

const WEB = { referrer: "https://www.example.com/*" };
const MOBILE = { appId: "com.myapp.demo.app" };

afterEach(() => {
  // Prism answers an invalid request with an example error: without this, a test could pass for the wrong reason.
  expect(takeViolations()).toEqual([]);
});

describe.each(contractClients)("$name against the spec", (client) => {
  test("mints a token for the Web SDK", async () => {
    const outcome = await client.mint(WEB);

    expect(outcome).toEqual({ token: "<CLIENT_TOKEN>" });
  });

  test("mints a token for a Mobile SDK", async () => {
    const outcome = await client.mint(MOBILE);

    expect(outcome).toEqual({ token: "<CLIENT_TOKEN>" });
  });

  test.each(errorExamples)("reports status $status, example $example", async ({ status, example, body }) => {
    const { failure } = await client.mint(WEB, `code=${status}, example=${example}`);

    expect(failure?.status).toBe(status);
    expect(failure?.type).toBe(body.type);
    expect(failure?.message).toEqual(expect.stringContaining(body.message)); // ComplyCube adds what to do.
    expect(failure?.param).toBe(body.param);
  });
});

test("the spec documents every status of the API, and a 400 for each kind of mistake", () => {
  const documented = errorExamples.map(({ status, example, body }) => `${status} ${example}: ${body.type}`);

  expect(documented).toEqual([
    "400 clientId: invalid_request",
    "400 referrer: invalid_request",
    "400 appId: invalid_request",
    "400 binding: invalid_request",
    "400 unknownField: invalid_request",
    "401 unauthorized: unauthorized",
    "402 paymentDue: payment_required",
    "403 forbidden: unauthorized",
    "404 notFound: resource_not_found",
    "413 tooLarge: request_too_large",
    "429 rateLimited: rate_limit_exceeded",
    "500 serverFault: internal_server_error",
  ]);
});
