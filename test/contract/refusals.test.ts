import { describe, expect, inject, test } from "vitest";

const web = { clientId: "CLIENT_ID", referrer: "https://www.example.com/*" };
const headers = { authorization: "test_CONTRACT_KEY", "content-type": "application/json" };

/** Raw requests, because none of our clients would send these; `violation` is Prism's own word for what is wrong. */
const refused = [
  { what: "both referrer and appId", body: { ...web, appId: "com.myapp.demo.app" }, violation: "oneOf" },
  { what: "neither referrer nor appId", body: { clientId: "CLIENT_ID" }, violation: "required" },
  { what: "an extra field", body: { ...web, locale: "en" }, violation: "additionalProperties" },
  { what: "an empty clientId", body: { ...web, clientId: "" }, violation: "minLength" },
  { what: "no clientId", body: { referrer: web.referrer }, violation: "required" },
  { what: "an empty referrer", body: { ...web, referrer: "" }, violation: "minLength" },
  { what: "an empty appId", body: { clientId: "CLIENT_ID", appId: "" }, violation: "minLength" },
  { what: "no key", body: web, headers: { "content-type": "application/json" }, violation: 401 },
  {
    what: "the wrong content type",
    body: web,
    headers: { ...headers, "content-type": "text/plain" },
    violation: 415,
  },
];

describe("the spec itself", () => {
  test.each(refused)("refuses $what", async ({ body, violation, ...request }) => {
    const response = await fetch(`${inject("prismUrl")}/v1/tokens`, {
      method: "POST",
      headers: request.headers ?? headers,
      body: JSON.stringify(body),
    });

    expect(response.ok).toBe(false);
    const found = JSON.parse(response.headers.get("sl-violations") ?? "[]") as { code: unknown }[];
    expect(found.map(({ code }) => code)).toContain(violation);
  });

  test("refuses a path with a trailing slash", async () => {
    const response = await fetch(`${inject("prismUrl")}/v1/tokens/`, {
      method: "POST",
      headers,
      body: JSON.stringify(web),
    });

    expect(response.status).toBe(404);
  });
});
