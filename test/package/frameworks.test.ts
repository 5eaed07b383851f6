import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { root } from "../../scripts/root.ts";
import { listen } from "../support/listen.ts";
import { install } from "../support/packed-tarball.ts";

const parent = mkdtempSync(join(tmpdir(), "frameworks-"));
const folder = join(parent, "frameworks");
const ENDPOINT = "/api/complycube-token";
const FILES = {
  "Express with passport": "express.mts",
  Nest: "nest.cts",
  "AWS Lambda": "lambda.mts",
  "React Native": "react-native.mts",
};

const SERVERS: [name: string, file: string, credentials: Record<string, string>][] = [
  ["Express 5 with passport", "out/express.mjs", { username: "ada", password: "ada's password" }],
  ["Express 4 with passport", "out/express-4/express.mjs", { username: "ada", password: "ada's password" }],
  ["Nest 11, in CommonJS", "out/nest.cjs", {}],
];

/** The program below a heading of examples/README.md, word for word. */
function program(heading: string): string {
  const [, section = ""] = readFileSync(`${root}examples/README.md`, "utf8").split(`\n## ${heading}\n`);
  const [, code] = /^```ts\n(.*?)^```/ms.exec(section) ?? [];
  if (code === undefined) throw new Error(`examples/README.md has no program below "${heading}".`);
  return code;
}

describe("the programs of examples/README.md", () => {
  let api: Awaited<ReturnType<typeof listen>>;
  let sent: unknown[] = [];
  let port: number;
  let isInstalled = false;

  beforeAll(async () => {
    isInstalled = install(parent, "frameworks", inject("tarball")) !== undefined;
    if (!isInstalled) return;
    port = await freePort();
    for (const [heading, file] of Object.entries(FILES)) {
      writeFileSync(join(folder, file), program(heading).replace("listen(3000)", `listen(${port})`));
    }
    const compilerOptions = {
      strict: true,
      target: "es2022",
      module: "nodenext",
      skipLibCheck: true, // React Native's own types are not installed.
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      outDir: "out",
    };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions, files: Object.values(FILES) }),
    );
    const tsc = join(folder, "node_modules/typescript/bin/tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc], { cwd: folder, encoding: "utf8" });
    if (status !== 0) throw new Error(`The programs do not compile:\n${stdout}`);

    // What is linked is looked up from where it is, so the rest is found there.
    const olderModules = join(folder, "out/express-4/node_modules");
    mkdirSync(olderModules, { recursive: true });
    symlinkSync(join(folder, "node_modules/express-4"), join(olderModules, "express"));
    cpSync(join(folder, "out/express.mjs"), join(folder, "out/express-4/express.mjs"));

    api = await listen(async (request, response) => {
      sent.push(JSON.parse(await text(request)));
      response.setHeader("content-type", "application/json").end('{"token":"TOKEN"}');
    });
  }, 120_000);
  afterAll(async () => {
    await api?.close();
    rmSync(parent, { recursive: true, force: true });
  });
  beforeEach(() => {
    sent = [];
  });

  const environment = () => ({
    PATH: process.env.PATH,
    COMPLYCUBE_API_KEY: "test_FRAMEWORKS",
    COMPLYCUBE_BASE_URL: api.url,
  });

  test.for(SERVERS)("%s mints for the user of its own session", async ([, file, credentials], { skip }) => {
    skip(!isInstalled);
    const server = spawn(process.execPath, [file], {
      cwd: folder,
      env: environment(),
      stdio: ["ignore", "ignore", "pipe"],
    });
    const warnings = text(server.stderr);
    const url = `http://127.0.0.1:${port}`;
    const post = (path: string, init: RequestInit = {}) => fetch(url + path, { method: "POST", ...init });
    try {
      await expect.poll(() => post(ENDPOINT).then((r) => r.status, String), { timeout: 20_000 }).toBe(401);
      const login = await post("/login", { body: new URLSearchParams(credentials) });
      const [cookie = ""] = (login.headers.getSetCookie()[0] ?? "").split(";");
      const body = '{"clientId":"CLIENT_OF_EVE"}';

      const plain = await post(ENDPOINT, { headers: { cookie } });
      const withBody = await post(ENDPOINT, {
        headers: { cookie, "content-type": "application/json" },
        body,
      });
      const elsewhere = await post(ENDPOINT, { headers: { cookie, origin: "https://evil.example" } });

      expect(login.status).toBe(204);
      expect(await plain.json()).toEqual({ token: "TOKEN" });
      expect(await withBody.json()).toEqual({ token: "TOKEN" });
      expect(elsewhere.status).toBe(403);
      const minted = { clientId: "CLIENT_ID", referrer: "https://www.example.com/*" };
      expect(sent).toEqual([minted, minted]);
    } finally {
      server.kill();
    }
    expect(await warnings).toContain('pass allowedOrigins: ["https://evil.example"]');
  });

  test("AWS Lambda mints for the user whom the gateway knows", async ({ skip }) => {
    skip(!isInstalled);
    const event = (authorizer: object) => ({
      version: "2.0",
      routeKey: "$default",
      rawPath: ENDPOINT,
      rawQueryString: "",
      headers: { host: "api.example.com", "content-type": "application/json" },
      requestContext: { http: { method: "POST", path: ENDPOINT }, authorizer },
      body: '{"clientId":"CLIENT_OF_EVE"}',
      isBase64Encoded: false,
    });
    const events = [event({ jwt: { claims: { complycube_client_id: "CLIENT_ID" } } }), event({})];
    const script = `import { handler } from "./out/lambda.mjs";
      const answers = await Promise.all(${JSON.stringify(events)}.map((event) => handler(event, {})));
      console.log(JSON.stringify(answers.map(({ statusCode, body }) => [statusCode, JSON.parse(body)])));`;

    const node = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: folder,
      env: environment(),
      stdio: ["ignore", "pipe", "inherit"],
    });

    expect(JSON.parse(await text(node.stdout))).toEqual([
      [200, { token: "TOKEN", clientId: "CLIENT_ID" }],
      [401, { error: "unauthenticated" }],
    ]);
    expect(sent).toEqual([{ clientId: "CLIENT_ID", appId: "com.example.app" }]);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address ? address.port : 0;
}
