import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { onTestFinished } from "vitest";

/** What the server does with one request. */
export type Respond = (response: Http2ServerResponse, number: number) => void;

/** A server that speaks HTTP/2 and HTTP/1.1 over TLS. */
export interface TlsServer {
  /** Such as `https://localhost:41234`. */
  url: string;
  port: number;
  /** The requests that arrived whole, in order. */
  received: Http2ServerRequest[];
  /** How many connections were ever opened. */
  opened(): number;
  /** How many connections are open now. */
  open(): number;
  /** How many requests have an answer that is not complete. */
  busy(): number;
}

const REQUEST = [
  ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
  ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "-", "-out", "-"],
];

/** Makes a key, and a certificate for localhost that nobody else has signed; `undefined` where there is no openssl. */
export function makeCertificate(): string | undefined {
  const { status, stdout } = spawnSync("openssl", REQUEST, { encoding: "utf8" });
  return status === 0 ? stdout : undefined;
}

/** A certificate for the tests of one file. Where there is no openssl they are skipped out loud; CI installs it. */
export function certificateFor(tests: string): { certificate: string; skipped: boolean } {
  const certificate = makeCertificate() ?? "";
  const skipped = certificate === "" && !process.env.CI;
  if (skipped) console.warn(`SKIPPED: ${tests}, because there is no openssl. CI installs it.`);
  return { certificate, skipped };
}

/** Trusts a certificate for as long as the test runs. */
export function trust(certificate: string): void {
  const usual = getCACertificates("default");
  setDefaultCACertificates([...usual, certificate]);
  onTestFinished(() => setDefaultCACertificates(usual));
}

/** Starts a server on a free loopback port, for as long as the test runs. */
export async function startTlsServer(certificate: string, respond: Respond): Promise<TlsServer> {
  const received: Http2ServerRequest[] = [];
  const answering = new Set<Http2ServerResponse>();
  const sockets = new Set<Socket>();
  let opened = 0;

  const server = createSecureServer({ key: certificate, cert: certificate, allowHTTP1: true });
  server.on("secureConnection", (socket) => {
    opened++;
    sockets.add(socket);
    socket.on("error", () => {}); // A client that hangs up is part of the plan.
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("sessionError", () => {});
  server.on("request", async (request, response) => {
    request.on("error", () => {});
    answering.add(response);
    response.on("close", () => answering.delete(response));
    await once(request.resume(), "end");
    respond(response, received.push(request));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://localhost:${port}`,
    port,
    received,
    opened: () => opened,
    open: () => sockets.size,
    busy: () => answering.size,
  };
}
