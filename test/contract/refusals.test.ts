import { expect, inject, test } from "vitest";

const REFERRER = "https://www.example.com/*";
const web = { clientId: "CLIENT_ID", referrer: REFERRER };
const mobile = { clientId: "CLIENT_ID", appId: "com.myapp.demo.app" };
const json = { "content-type": "application/json" };
const headers = { authorization: "test_CONTRACT_KEY", ...json };

/** Raw requests without `Prefer`, because none of our clients would send these; a string is sent as it is. */
const invalid: [what: string, body: unknown, param: string | undefined][] = [
  ["no clientId", { referrer: REFERRER }, "clientId"],
  ["no clientId, for an app", { appId: mobile.appId }, "clientId"],
  ["an empty clientId", { ...web, clientId: "" }, "clientId"],
  ["an empty clientId, for an app", { ...mobile, clientId: "" }, "clientId"],
  ["a number as clientId", { ...web, clientId: 42 }, "clientId"],
  ["null as clientId", { ...mobile, clientId: null }, "clientId"],
  ["an empty clientId and an unknown field", { ...web, clientId: "", locale: "en" }, "clientId"],
  ["an empty object", {}, "clientId"],
  ["an array", [web], "clientId"],
  ["a string", JSON.stringify("CLIENT_ID"), "clientId"],
  ["null", "null", "clientId"],
  ["nothing", "", "clientId"],
  ["JSON cut off", '{"clientId":"CLIENT_ID",', "clientId"],
  ["a form", "clientId=CLIENT_ID&appId=com.myapp.demo.app", "clientId"],
  ["an empty referrer", { ...web, referrer: "" }, "referrer"],
  ["null as referrer", { ...web, referrer: null }, "referrer"],
  ["a list as referrer", { ...web, referrer: [REFERRER] }, "referrer"],
  ["an empty appId", { ...mobile, appId: "" }, "appId"],
  ["an object as appId", { ...mobile, appId: {} }, "appId"],
  ["neither referrer nor appId", { clientId: "CLIENT_ID" }, "referrer"],
  ["a misspelt referrer", { clientId: "CLIENT_ID", referer: REFERRER }, "referrer"],
  ["both referrer and appId", { ...web, ...mobile }, "referrer"],
  ["an unknown field", { ...web, locale: "en" }, undefined],
  ["an unknown field, for an app", { ...mobile, locale: "en" }, undefined],
  ["an unknown field that is not ASCII", { ...web, 名前: "x" }, undefined],
];

async function post(body: unknown, more: Record<string, string> = headers) {
  const response = await fetch(`${inject("prismUrl")}/v1/tokens`, {
    method: "POST",
    headers: more,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    violations: response.headers.get("sl-violations"),
    ...(await response.json()),
  };
}

test.each(invalid)("the mock refuses %s and names the field", async (_, body, param) => {
  const { status, type, message, violations, ...answer } = await post(body);

  expect(status).toBe(400);
  expect(type).toBe("invalid_request");
  expect(message).toBeTypeOf("string");
  expect(answer.param).toBe(param);
  expect(violations).not.toBeNull();
});

test.each([
  ["no key", json],
  ["an empty key", { ...json, authorization: "" }],
])("the mock refuses %s", async (_, more) => {
  const { status, type } = await post(web, more);

  expect(status).toBe(401);
  expect(type).toBe("unauthorized");
});

test("the mock refuses another content type", async () => {
  const { status, type } = await post(web, { ...headers, "content-type": "text/plain" });

  expect(status).toBe(400);
  expect(type).toBe("invalid_request");
});

test("the mock knows no path with a trailing slash", async () => {
  const response = await fetch(`${inject("prismUrl")}/v1/tokens/`, {
    method: "POST",
    headers,
    body: JSON.stringify(web),
  });

  expect(response.status).toBe(404);
});
