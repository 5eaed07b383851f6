import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { startMock } from "../../scripts/mock.ts";
import { root } from "../../scripts/root.ts";
import { ComplyCube, inspectToken } from "../../src/index.ts";

const APP = { appId: "com.myapp.demo.app" };

/** Mints a token, with a header that names the example that the mock is to answer with. */
function mint(baseUrl: string, prefer?: string): Promise<string> {
  return new ComplyCube({
    apiKey: "test_MOCK_KEY",
    baseUrl,
    fetch: (url, init) =>
      fetch(url, {
        ...init,
        headers: { ...(init.headers as Record<string, string>), ...(prefer && { prefer }) },
      }),
  }).token.generate("CLIENT_ID", APP);
}

describe("the mock's token", () => {
  test("is the document's own unless another is asked for", async () => {
    expect(await mint(inject("prismUrl"))).toBe("<CLIENT_TOKEN>");
  });

  test("is one that can be decoded and lasts an hour from now, when asked for", async () => {
    const before = Math.floor(Date.now() / 1_000) * 1_000;

    const token = await mint(inject("prismUrl"), "example=jwt");

    const { issuedAt, expiresAt, claims } = inspectToken(token);
    expect(issuedAt?.getTime()).toBeGreaterThanOrEqual(before);
    expect(issuedAt?.getTime()).toBeLessThanOrEqual(Date.now());
    expect(Number(expiresAt) - Number(issuedAt)).toBe(3_600_000);
    expect(claims.iss).toMatch(/mock/);
  });

  test("is always such a one with --jwt, unless another is asked for", async () => {
    const mock = await startMock({ jwt: true });
    onTestFinished(mock.stop);

    expect(inspectToken(await mint(mock.url)).claims.iss).toMatch(/mock/);
    expect(await mint(mock.url, "example=token")).toBe("<CLIENT_TOKEN>");
  });
});

test("the mock says which port is taken", async () => {
  const port = Number(new URL(inject("prismUrl")).port);

  await expect(startMock({ port })).rejects.toThrow(`EADDRINUSE: address already in use 127.0.0.1:${port}`);
});

test("Prism's own command line mints a token from the description in the package", async () => {
  const prism = spawn(`${root}node_modules/.bin/prism`, ["mock", "dist/openapi.yaml", "-p", "0"], {
    cwd: root,
  });
  onTestFinished(() => void prism.kill());
  let log = "";
  prism.stdout.setEncoding("utf8").on("data", (chunk) => {
    log += chunk;
  });
  while (!log.includes("listening on")) await once(prism.stdout, "data");

  const [, url = ""] = /listening on (http:\S+)/.exec(log) ?? [];

  expect(await mint(url)).toBe("<CLIENT_TOKEN>");
});
