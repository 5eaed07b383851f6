import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { root } from "../../scripts/root.ts";
import { listen } from "../support/listen.ts";
import { install } from "../support/packed-tarball.ts";

const folder = mkdtempSync(join(tmpdir(), "nextjs-"));
const app = join(folder, "nextjs");
/** The examples, word for word, and where they stand; Next.js takes no two routes of one path. */
const EXAMPLES: [file: string, place?: string][] = [
  ["app/api/complycube-token/route.ts"],
  ["pages/api/complycube-token.ts", "pages/api/complycube-token-of-pages.ts"],
];
let api: Awaited<ReturnType<typeof listen>>;
let server: ChildProcess | undefined;
let url = "";
let minted = 0;
let lastSent: unknown;
let isBuilt = false;

/** Next.js as it is run from a shell, without a key and without a look at ours. */
const environment = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: undefined };
const next = join(app, "node_modules/next/dist/bin/next");

beforeAll(async () => {
  api = await listen(async (request, response) => {
    minted += 1;
    lastSent = JSON.parse(await text(request));
    response.setHeader("content-type", "application/json").end(JSON.stringify({ token: `TOKEN_${minted}_` }));
  });
  isBuilt = install(folder, "nextjs", inject("tarball")) !== undefined;
  if (!isBuilt) return;
  for (const [example, place = example] of EXAMPLES) {
    cpSync(`${root}examples/nextjs/${example}`, join(app, place));
  }
  const build = spawnSync(process.execPath, [next, "build"], {
    cwd: app,
    env: environment,
    encoding: "utf8",
  });
  if (build.status !== 0) throw new Error(`next build failed: ${build.stdout}${build.stderr}`);
  server = spawn(process.execPath, [next, "start", "--port", "0", "--hostname", "127.0.0.1"], {
    cwd: app,
    env: { ...environment, COMPLYCUBE_API_KEY: "test_NEXTJS_KEY", COMPLYCUBE_BASE_URL: api.url },
    stdio: ["ignore", "pipe", "inherit"],
  });
  url = await addressOf(server);
}, 300_000);

afterAll(async () => {
  if (server?.exitCode === null) {
    server.kill("SIGKILL"); // Or it waits for connections that `fetch` keeps.
    await once(server, "exit");
  }
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("in a Next.js application that caches what fetch fetches", () => {
  test("a fetch of one's own is answered with the same token again and again", async ({ skip }) => {
    skip(!isBuilt);

    const tokens = await threeTokens("no-precaution");

    expect(new Set(tokens).size).toBe(1);
    expect(stored(tokens)).toEqual([...new Set(tokens)]);
  });

  test.for(["default", "a-passed-fetch", "fetch", "client"])(
    "each call of the client %s has a token of its own, and none is written to disk",
    async (client, { skip }) => {
      skip(!isBuilt);

      const tokens = await threeTokens(client);

      expect(new Set(tokens).size).toBe(3);
      expect(stored(tokens)).toEqual([]);
    },
  );
});

describe("a client made where the module is loaded", () => {
  test("takes the key of the environment that the server is started with, in the Pages Router too", async ({
    skip,
  }) => {
    skip(!isBuilt);

    const answer = await fetch(`${url}/api/mint`, { method: "POST" });

    expect(await answer.json()).toEqual({ token: `TOKEN_${minted}_` });
  });
});

describe.each([
  ["App Router", "/api/complycube-token"],
  ["Pages Router", "/api/complycube-token-of-pages"],
])("the endpoint of examples/nextjs, in the %s", (_, path) => {
  const ask = (init: RequestInit) => fetch(url + path, { method: "POST", ...init });
  const json = { "content-type": "application/json" };

  test("mints for the session's user, whatever the body says", async ({ skip }) => {
    skip(!isBuilt);

    for (const body of [undefined, "", '{"clientId":"CLIENT_OF_EVE"}', '{"clientId":']) {
      const headers = { cookie: "session=ada", ...(body !== undefined && json) };
      const answer = await ask({ headers, body: body ?? null });

      expect(await answer.json()).toEqual({ token: `TOKEN_${minted}_` });
      expect(answer.headers.get("cache-control")).toBe("no-store");
      expect(lastSent).toEqual({ clientId: "CLIENT_OF_ADA", referrer: "https://www.example.com/*" });
    }
  });

  test("refuses strangers, pages of other origins and other methods", async ({ skip }) => {
    skip(!isBuilt);
    const cookie = "session=ada";
    const before = minted;

    const answers = await Promise.all([
      ask({}),
      ask({ headers: { cookie, origin: "https://evil.example" } }),
      ask({ headers: { cookie, "sec-fetch-site": "same-site" } }),
      ask({ method: "OPTIONS", headers: { origin: "https://evil.example" } }),
      ask({ method: "PUT", headers: { cookie } }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([401, 403, 403, 405, 405]);
    expect(minted).toBe(before);
  });
});

async function threeTokens(client: string): Promise<string[]> {
  const tokens: string[] = [];
  for (let call = 0; call < 3; call++) {
    const answer = await fetch(`${url}/api/mint/${client}`, { method: "POST" });
    const { token } = (await answer.json()) as { token: string };
    expect(token).toMatch(/^TOKEN_\d+_$/);
    tokens.push(token);
  }
  return tokens;
}

/** Which of some tokens lie in a file of the application's `.next`, whose cache holds bodies in Base64. */
function stored(tokens: readonly string[]): string[] {
  const files = readdirSync(join(app, ".next"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  return [...new Set(tokens)].filter((token) => {
    const spellings = [token, Buffer.from(JSON.stringify({ token })).toString("base64")];
    return files.some((text) => spellings.some((spelling) => text.includes(spelling)));
  });
}

/** Where `next start` says that it listens. */
async function addressOf(started: ChildProcess): Promise<string> {
  let output = "";
  for await (const chunk of started.stdout ?? []) {
    output += chunk;
    const address = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
    if (address !== undefined && output.includes("Ready")) return address;
  }
  throw new Error(`next start ended: ${output}`);
}
