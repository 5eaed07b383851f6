import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { startCountingServer } from "../support/counting-server.ts";
import { clientOf } from "../support/fault-client.ts";
import { closedPort } from "../support/fault-server.ts";
import { TOKEN } from "../support/leak-scan.ts";
import { settle } from "../support/settle.ts";
import { certificateFor } from "../support/tls-server.ts";
import { MINTED } from "./scenarios/scenario.ts";

const { certificate, skipped } = certificateFor("the tests behind a proxy");

const folder = mkdtempSync(join(tmpdir(), "complycube-proxy-"));
const certificateFile = join(folder, "certificate.pem");
writeFileSync(certificateFile, certificate.slice(certificate.indexOf("-----BEGIN CERTIFICATE")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  vi.unstubAllEnvs();
});

/** A proxy that tunnels, and remembers to where. */
async function startProxy() {
  const tunnels: (string | undefined)[] = [];
  const sockets: Socket[] = [];
  const server = createServer().on("connect", (request, socket: Socket) => {
    tunnels.push(request.url);
    const port = Number(request.url?.split(":")[1]);
    const onward = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      onward.pipe(socket).pipe(onward);
    });
    for (const each of [socket, onward]) sockets.push(each.on("error", () => {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { tunnels, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe.skipIf(skipped)("behind a proxy", () => {
  test.each([
    ["NODE_USE_ENV_PROXY=1", [], { NODE_USE_ENV_PROXY: "1" }],
    ["--use-env-proxy", ["--use-env-proxy"], {}],
  ])("%s sends the default transport through it", async (_, flags, env) => {
    const proxy = await startProxy();
    const server = await startCountingServer(certificate, (_, response) => response.end(MINTED));
    onTestFinished(server.close);
    const script = fileURLToPath(new URL("../support/one-call.ts", import.meta.url));

    const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, server.url, "token"], {
      env: { ...process.env, ...env, HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: certificateFile },
    });

    expect(stdout.trim()).toBe(`token ${TOKEN.length}`);
    expect(proxy.tunnels).toEqual([new URL(server.url).host]);
    expect(server.counts.requests).toBe(1);
  });

  test("a connection error says that a proxy is set and was not used", async () => {
    vi.stubEnv("HTTPS_PROXY", "http://user:password@proxy.invalid:8080");
    const url = (await closedPort()).replace("http:", "https:");

    const { error } = await settle(clientOf({ url }, { maxRetries: 0 }));

    expect((error as Error).message).toMatch(
      /: ECONNREFUSED\. HTTPS_PROXY is set and was not used: .*NODE_USE_ENV_PROXY=1/,
    );
    expect((error as Error).message).not.toContain("password");
  });

  test.each([
    ["no proxy is set", {}, undefined],
    [
      "the host is an exception",
      { HTTPS_PROXY: "http://proxy.invalid", NO_PROXY: "example.com, 127.0.0.1" },
      undefined,
    ],
    ["a fetch is passed", { HTTPS_PROXY: "http://proxy.invalid" }, fetch],
  ])("it says nothing of one where %s", async (_, env, fetch) => {
    for (const [name, value] of Object.entries({ HTTPS_PROXY: "", NO_PROXY: "", ...env }))
      vi.stubEnv(name, value);
    const url = (await closedPort()).replace("http:", "https:");

    const { error } = await settle(clientOf({ url }, { maxRetries: 0, fetch }));

    expect((error as Error).message).not.toContain("PROXY");
  });
});
