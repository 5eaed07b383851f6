import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { startCountingServer } from "../support/counting-server.ts";
import { clientOf, watchedClientOf } from "../support/fault-client.ts";
import { stall, startFaultServer } from "../support/fault-server.ts";
import { TOKEN } from "../support/leak-scan.ts";
import { settle } from "../support/settle.ts";
import { certificateFor, trust } from "../support/tls-server.ts";
import { MINTED } from "./scenarios/scenario.ts";

const { certificate, skipped } = certificateFor("the round trips over TLS");

const minted = { token: TOKEN };
/** Far more than opening a connection takes on a busy machine. */
const PATIENCE_MS = 10_000;

beforeEach(() => trust(certificate));

async function serve(options?: Parameters<typeof startCountingServer>[2]) {
  const server = await startCountingServer(certificate, (_, response) => response.end(MINTED), options);
  onTestFinished(server.close);
  return { server, ...watchedClientOf(server) };
}

describe.skipIf(skipped)("round trips of the default transport", () => {
  test("the first token costs one connection and one request", async () => {
    const { server, complycube } = await serve();

    expect(await settle(complycube)).toEqual(minted);

    expect(server.counts).toEqual({ connections: 1, fullHandshakes: 1, resumedHandshakes: 0, requests: 1 });
  });

  test("the next one, in the very tick in which the first came, costs a request alone", async () => {
    const { server, complycube } = await serve();

    for (let call = 0; call < 5; call++) expect(await settle(complycube)).toEqual(minted);

    expect(server.counts).toEqual({ connections: 1, fullHandshakes: 1, resumedHandshakes: 0, requests: 5 });
  });

  test("all clients of a process share the connections", async () => {
    const { server, complycube } = await serve();
    await settle(complycube);

    expect(await settle(clientOf(server))).toEqual(minted);

    expect(server.counts.connections).toBe(1);
  });

  test("ten at once cost ten connections, and ten more none", async () => {
    const { server, complycube } = await serve();

    for (const _ of ["first", "again"]) {
      await Promise.all(Array.from({ length: 10 }, () => settle(complycube)));
    }

    expect(server.counts).toMatchObject({ connections: 10, requests: 20 });
  });

  test("the second, later, costs a request alone", async () => {
    const { server, complycube } = await serve();
    await settle(complycube);

    await delay(200);
    expect(await settle(complycube)).toEqual(minted);

    expect(server.counts).toEqual({ connections: 1, fullHandshakes: 1, resumedHandshakes: 0, requests: 2 });
  });

  test.each([6, 30])(
    "a connection is still used after %i s idle where the server keeps it",
    async (seconds) => {
      const { server, complycube } = await serve();
      await settle(complycube);

      await delay(seconds * 1_000);
      expect(await settle(complycube)).toEqual(minted);

      expect(server.counts).toEqual({ connections: 1, fullHandshakes: 1, resumedHandshakes: 0, requests: 2 });
    },
  );

  test.each([
    ["the server has just closed", "close"],
    ["is silently dead", "silent"],
  ] as const)(
    "a kept connection that %s costs one more, resumed, and one more request",
    async (_, manner) => {
      const { server } = await serve();
      const complycube = clientOf(server, { timeoutMs: 3_000 }); // The retry has to be answered within it, too.
      await settle(complycube);
      await delay(50); // For the session of TLS 1.3, which comes after the answer.

      server.turn(manner);
      expect(await settle(complycube)).toEqual(minted);

      expect(server.counts).toEqual({ connections: 2, fullHandshakes: 1, resumedHandshakes: 1, requests: 3 });
    },
  );

  test("a server's Keep-Alive hint is heeded, a second before it ends", async () => {
    const { server, complycube, events } = await serve({ hintSeconds: 4 });
    await settle(complycube);

    await delay(100);
    await settle(complycube);
    const within = server.counts.connections;
    await delay(3_500);
    await settle(complycube);

    expect(within).toBe(1);
    expect(server.counts.connections).toBe(2);
    expect(events.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "a session of %s is resumed when connecting again",
    async (tls) => {
      const { server, complycube } = await serve({ tls });
      await settle(complycube);
      await delay(50); // For the session of TLS 1.3, which comes after the answer.
      for (const socket of server.sockets) socket.destroy();
      await delay(50);

      expect(await settle(complycube)).toEqual(minted);

      expect(server.counts).toEqual({ connections: 2, fullHandshakes: 1, resumedHandshakes: 1, requests: 2 });
    },
  );
});

describe.skipIf(skipped)("preconnect", () => {
  test("opens the connection of the next call, and one only, however often it is called", async () => {
    const { server, complycube } = await serve();

    for (let stranger = 0; stranger < 50; stranger++) expect(complycube.preconnect()).toBeUndefined();
    await vi.waitFor(() => expect(server.counts.fullHandshakes).toBe(1), PATIENCE_MS);
    complycube.preconnect();
    await delay(50);
    const ahead = { ...server.counts };
    expect(await settle(complycube)).toEqual(minted);

    expect(ahead).toEqual({ connections: 1, fullHandshakes: 1, resumedHandshakes: 0, requests: 0 });
    expect(server.counts).toEqual({ ...ahead, requests: 1 });
  });

  test("serves the call that comes before the connection is open", async () => {
    const { server, complycube } = await serve();

    complycube.preconnect();
    expect(await settle(complycube)).toEqual(minted);

    expect(server.counts).toMatchObject({ connections: 1, requests: 1 });
  });

  test("opens nothing where a connection is free", async () => {
    const { server, complycube } = await serve();
    await settle(complycube);

    complycube.preconnect();
    await delay(50);

    expect(server.counts.connections).toBe(1);
  });

  test("leaves the connection to later calls, as any other", async () => {
    const { server, complycube } = await serve();
    complycube.preconnect();

    for (let call = 0; call < 3; call++) await settle(complycube);

    expect(server.counts).toMatchObject({ connections: 1, requests: 3 });
  });

  test("costs a retry at once when the server has closed what it opened", async () => {
    const { server, complycube, events } = await serve();
    complycube.preconnect();
    await vi.waitFor(() => expect(server.counts.fullHandshakes).toBe(1), PATIENCE_MS);
    // So that the close is not seen before the call.
    const call = settle(complycube);
    for (const socket of server.sockets) socket.destroy();

    expect(await call).toEqual(minted);

    expect(events.map(({ retryInMs }) => retryInMs)).toEqual([0, undefined]);
  });

  test("opens another when the one before was closed unused", async () => {
    const { server, complycube } = await serve();
    complycube.preconnect();
    await vi.waitFor(() => expect(server.counts.fullHandshakes).toBe(1), PATIENCE_MS);
    for (const socket of server.sockets) socket.destroy();
    await delay(50);

    complycube.preconnect();
    await vi.waitFor(() => expect(server.counts.connections).toBe(2), PATIENCE_MS);
    expect(await settle(complycube)).toEqual(minted);

    expect(server.counts).toMatchObject({ connections: 2, requests: 1 });
  });

  test("takes no answer that nobody asked for from the connection", async () => {
    const forged = JSON.stringify({ token: "FORGED" });
    let opened = 0;
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () =>
        socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${MINTED.length}\r\n\r\n${MINTED}`),
      );
      if (opened++ === 0)
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${forged.length}\r\n\r\n${forged}`);
    }).listen(0, "127.0.0.1");
    await vi.waitFor(() => expect(server.listening).toBe(true), PATIENCE_MS);
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const complycube = clientOf({ url: `http://127.0.0.1:${port}` }, { maxRetries: 0 });

    complycube.preconnect();
    await delay(100);

    expect(await settle(complycube)).toEqual(minted);
    expect(opened).toBe(2);
  });

  test("gives a connection up whose handshake never ends, so that no call waits for it", async () => {
    const server = await startFaultServer({ steps: [stall], onConnection: (socket) => socket.resume() });
    const complycube = clientOf({ url: server.url.replace("http:", "https:") });

    complycube.preconnect();
    await vi.waitFor(() => expect(server.open()).toBe(1), PATIENCE_MS);

    await vi.waitFor(() => expect(server.open()).toBe(0), 15_000);
  });

  test("does nothing over a fetch, and never throws", async () => {
    const { server } = await serve();
    const overFetch = clientOf(server, { fetch });
    const nowhere = clientOf({ url: "https://nowhere.invalid" });

    expect(overFetch.preconnect()).toBeUndefined();
    expect(nowhere.preconnect()).toBeUndefined();
    await delay(100);

    expect(server.counts.connections).toBe(0);
  });
});
