import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ComplyCube } from "../../src/index.ts";
import { type UndiciFetchOptions, undiciFetch } from "../../src/undici.ts";
import { all, answer, closedPort, pause, startFaultServer } from "../support/fault-server.ts";
import { KEY, TOKEN } from "../support/leak-scan.ts";
import { settle, TARGET } from "../support/settle.ts";
import { MINTED } from "./scenarios/scenario.ts";

describe("undiciFetch", () => {
  test.each([
    [{ connections: "5" }, TypeError, "connections must be a number, not a string."],
    [{ connections: 0 }, RangeError, "connections must be a whole number from 1"],
    [{ connections: 1.5 }, RangeError, "connections must be a whole number from 1"],
    [{ connections: Number.NaN }, RangeError, "connections must be a whole number from 1"],
    [{ allowH2: "yes" }, TypeError, "allowH2 must be true or false, not a string."],
    [{ connection: 5 }, TypeError, 'unknown field "connection". Known: connections, allowH2.'],
    [null, TypeError, "options must be an object, not null."],
  ])("refuses %o", (options, type, message) => {
    const make = () => undiciFetch(options as unknown as UndiciFetchOptions);

    expect(make).toThrow(type);
    expect(make).toThrow(message);
  });

  test("never sends a call that was aborted while it waited for a socket", async () => {
    const server = await startFaultServer({
      steps: [all(pause(200), answer(200, MINTED)), answer(200, MINTED)],
    });
    const fetch = undiciFetch({ connections: 1 });
    const complycube = new ComplyCube({ apiKey: KEY, baseUrl: server.url, fetch });
    const controller = new AbortController();
    const reason = new Error("changed my mind");

    const first = complycube.token.generate("CLIENT_ID", TARGET);
    const waiting = complycube.token.generate("CLIENT_ID", TARGET, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);

    await expect(waiting).rejects.toBe(reason);
    await expect(first).resolves.toBe(TOKEN);
    await fetch.close();
    expect(server.received).toHaveLength(1);
  });

  test("close lets what is under way finish", async () => {
    const server = await startFaultServer({ steps: [all(pause(100), answer(200, MINTED))] });
    const fetch = undiciFetch();
    const call = new ComplyCube({ apiKey: KEY, baseUrl: server.url, fetch }).token.generate(
      "CLIENT_ID",
      TARGET,
    );

    await fetch.close();

    await expect(call).resolves.toBe(TOKEN);
    await expect.poll(() => server.open()).toBe(0);
  });

  test("keeps the path of a gateway", async () => {
    const server = await startFaultServer({ steps: [answer(200, MINTED)] });
    const fetch = undiciFetch();

    await settle(new ComplyCube({ apiKey: KEY, baseUrl: `${server.url}/complycube`, fetch }));
    await fetch.close();

    expect(server.received.map(({ path }) => path)).toEqual(["/complycube/v1/tokens"]);
  });

  test("says why no answer came", async () => {
    const fetch = undiciFetch();
    const baseUrl = await closedPort();

    const { error } = await settle(new ComplyCube({ apiKey: KEY, baseUrl, fetch, maxRetries: 0 }));
    await fetch.close();

    expect(error).toMatchObject({
      name: "ConnectionError",
      message: `No answer from ${baseUrl}: ECONNREFUSED.`,
      cause: { code: "ECONNREFUSED" },
    });
  });

  test("takes an empty body for empty, whatever its compression is said to be", async () => {
    const server = await startFaultServer({ steps: [answer(200, "", { "content-encoding": "gzip" })] });
    const fetch = undiciFetch();

    const { error } = await settle(new ComplyCube({ apiKey: KEY, baseUrl: server.url, fetch }));
    await fetch.close();

    expect((error as Error).message).toBe("The API answered 200 without a token in its body.");
  });

  test("says that a body is over 1 MiB where only its decompression shows it", async () => {
    const body = gzipSync(Buffer.alloc(2 * 1024 * 1024, " "));
    const server = await startFaultServer({ steps: [answer(200, body, { "content-encoding": "gzip" })] });
    const fetch = undiciFetch();

    const { error } = await settle(new ComplyCube({ apiKey: KEY, baseUrl: server.url, fetch }));
    await fetch.close();

    expect(error).toMatchObject({
      name: "InvalidResponseError",
      message: "The API answered 200 with more than 1 MiB of body.",
    });
  });

  test("called by itself is a fetch that gives a Response", async () => {
    const server = await startFaultServer({ steps: [answer(200, MINTED)] });
    const fetch = undiciFetch();

    const response = await fetch(server.url, { method: "POST", body: "{}" });

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ token: TOKEN });
    await fetch.close();
    await expect.poll(() => server.open()).toBe(0);
  });
});
