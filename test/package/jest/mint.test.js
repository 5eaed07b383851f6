const { createTokensFetch } = require("complycube-tokens/fetch");
const { ComplyCube, inspectToken } = require("complycube-tokens");

/** Makes an answer that has no more than this package needs. */
const answering = (status, body) => async () => ({
  status,
  headers: new Map([["x-request-id", "REQUEST_ID"]]),
  text: async () => body,
});
const mint = (fetch) =>
  new ComplyCube({ apiKey: "test_key", fetch, maxRetries: 0 }).token.generate("CLIENT_ID", {
    referrer: "https://www.example.com/*",
  });

test("this is jsdom, which lacks what Node.js has", () => {
  expect(typeof document).toBe("object");
  expect([typeof TextDecoder, typeof TextEncoder, typeof fetch]).toEqual([
    "undefined",
    "undefined",
    "undefined",
  ]);
});

test("a client mints over a stub that has only text()", async () => {
  await expect(mint(answering(200, '{"token":"TOKEN"}'))).resolves.toBe("TOKEN");
});

test("a client rejects with the API's error, and with one for what is too large", async () => {
  await expect(mint(answering(401, "{}"))).rejects.toMatchObject({
    name: "AuthenticationError",
    requestId: "REQUEST_ID",
  });
  await expect(mint(answering(200, " ".repeat(2 ** 20 + 1)))).rejects.toMatchObject({
    name: "InvalidResponseError",
  });
});

test("a token is inspected", () => {
  const claims = Buffer.from(JSON.stringify({ exp: 1, name: "Zoë 🎫" })).toString("base64url");

  expect(inspectToken(`e30.${claims}.c2ln`)).toMatchObject({
    expiresAt: new Date(1_000),
    claims: { name: "Zoë 🎫" },
  });
});

test("the plain client can be made", () => {
  expect(createTokensFetch({ apiKey: "test_key", fetch: async () => undefined })).toHaveProperty("POST");
});
