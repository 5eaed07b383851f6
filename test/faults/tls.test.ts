import { beforeEach, describe, expect, test, vi } from "vitest";
import type { ComplyCubeOptions } from "../../src/index.ts";
import { clientOf } from "../support/fault-client.ts";
import { KEY, TOKEN } from "../support/leak-scan.ts";
import { settle } from "../support/settle.ts";
import {
  certificateFor,
  type Respond,
  startTlsServer,
  type TlsServer,
  trust,
} from "../support/tls-server.ts";
import { MINTED } from "./scenarios/scenario.ts";
import { transports } from "./transports.ts";

const PROMPT_MS = 5_000;

const { certificate, skipped } = certificateFor("the tests over TLS");

const mint: Respond = (response) => response.end(MINTED);

describe.skipIf(skipped).each(transports)("TLS over $name", ({ fetch }) => {
  describe("with a certificate that is not trusted", () => {
    test("rejects with a ConnectionError that says why, and sends nothing", async () => {
      const server = await startTlsServer(certificate, mint);

      const { error } = await settle(client(server, { fetch, maxRetries: 0 }));

      expect(error).toMatchObject({ name: "ConnectionError", code: "connection", attempts: 1 });
      expect((error as Error).message).toContain("DEPTH_ZERO_SELF_SIGNED_CERT");
      expect(codes(error)).toContain("DEPTH_ZERO_SELF_SIGNED_CERT");
      expect(server.received).toEqual([]);
    });
  });

  describe("with a certificate that is trusted", () => {
    beforeEach(() => trust(certificate));

    test("mints a token over HTTP/1.1, again and again on the connection that is open", async () => {
      const server = await startTlsServer(certificate, mint);
      const complycube = client(server, { fetch });

      for (let call = 0; call < 5; call++) expect(await settle(complycube)).toEqual({ token: TOKEN });

      expect(server.received.map(({ httpVersion }) => httpVersion)).toEqual(Array(5).fill("1.1"));
      expect(server.received[0]?.headers.authorization).toBe(KEY);
      expect(server.opened()).toBeLessThanOrEqual(2);
    });

    test("rejects with a ConnectionError when it is another host's, and sends nothing", async () => {
      const server = await startTlsServer(certificate, mint);
      const baseUrl = `https://127.0.0.1:${server.port}`;

      const { error } = await settle(client(server, { fetch, baseUrl, maxRetries: 0 }));

      expect(error).toMatchObject({ name: "ConnectionError", code: "connection", attempts: 1 });
      expect(codes(error)).toContain("ERR_TLS_CERT_ALTNAME_INVALID");
      expect(server.received).toEqual([]);
    });

    test.each<[string, Respond]>([
      ["before the head", () => {}],
      ["in the body", (response) => void response.writeHead(200).write("{")],
      ["in the body of an error", (response) => void response.writeHead(500).write("{")],
    ])("ends an answer that stalls %s by timeoutMs, and takes the next one", async (_, stall) => {
      const server = await startTlsServer(certificate, (response, number) =>
        number === 1 ? stall(response, number) : mint(response, number),
      );
      const complycube = client(server, { fetch, timeoutMs: 1_000, maxRetries: 0 });

      const { error } = await settle(complycube);
      await vi.waitFor(() => expect(server.busy()).toBe(0), PROMPT_MS);

      expect(error).toMatchObject({ name: "TimeoutError", code: "timeout", timeoutMs: 1_000 });
      expect(await settle(client(server, { fetch }))).toEqual({ token: TOKEN });
    });

    test("rejects at once with the caller's own reason in the body, and frees what it held", async () => {
      const server = await startTlsServer(certificate, (response) => void response.writeHead(200).write("{"));
      const caller = new AbortController();
      const call = settle(client(server, { fetch }), { signal: caller.signal });
      await vi.waitFor(() => expect(server.received).toHaveLength(1), PROMPT_MS);

      caller.abort("the user left");

      expect(await call).toEqual({ error: "the user left" });
      await vi.waitFor(() => expect(server.busy()).toBe(0), PROMPT_MS);
    });

    test("follows no redirect", async () => {
      const server = await startTlsServer(certificate, (response) => {
        response.writeHead(307, { location: "/v1/tokens" }).end(MINTED);
      });

      const { error } = await settle(client(server, { fetch, maxRetries: 0 }));

      expect(error).toMatchObject({ name: "ConnectionError", code: "connection", attempts: 1 });
      expect(server.received).toHaveLength(1);
      await vi.waitFor(() => expect(server.busy()).toBe(0), PROMPT_MS);
    });

    test("reads no more than 1 MiB", async () => {
      const server = await startTlsServer(certificate, (response) => {
        response.writeHead(200).write("x".repeat(2 * 1024 * 1024));
      });

      const { error } = await settle(client(server, { fetch }));

      expect(error).toMatchObject({ name: "InvalidResponseError", code: "invalid_response", status: 200 });
      expect((error as Error).message).toContain("1 MiB");
      await vi.waitFor(() => expect(server.busy()).toBe(0), PROMPT_MS);
    });

    test("tries again when the server breaks the connection", async () => {
      vi.spyOn(Math, "random").mockReturnValue(0);
      const server = await startTlsServer(certificate, (response, number) => {
        if (number === 1) response.req.socket.destroy();
        else mint(response, number);
      });

      const settled = await settle(client(server, { fetch, maxRetries: 1 }));
      vi.restoreAllMocks();

      expect(settled).toEqual({ token: TOKEN });
      expect(server.received).toHaveLength(2);
    });
  });
});

function client(server: TlsServer, options: ComplyCubeOptions) {
  return clientOf(server, { timeoutMs: 30_000, ...options });
}

/** The codes of an error's causes. */
function codes(error: unknown): unknown[] {
  const { cause, code } = error as { cause?: unknown; code?: unknown };
  return [code, ...(cause === undefined ? [] : codes(cause))];
}
