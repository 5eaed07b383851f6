import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { root } from "../../scripts/root.ts";
import { hasRedis, type RedisServer, startRedis } from "../support/redis-server.ts";

const GUIDE = globSync("docs/content/docs/guide/*.{md,mdx}", { cwd: root }).sort();
const DOCUMENTS = ["README.md", "CONTRIBUTING.md", ...GUIDE, "examples/README.md", "bench/README.md"];
const read = (file: string) => readFileSync(root + file, "utf8");

/** A reader's own project: empty, apart from the package as it would be published. */
const project = mkdtempSync(join(tmpdir(), "complycube-documents-"));
const environment = () => ({
  PATH: process.env.PATH,
  HOME: project,
  COMPLYCUBE_BASE_URL: inject("prismUrl"),
  COMPLYCUBE_API_KEY: "test_DOCUMENTS_KEY_1",
});

/** Runs a line of a shell, which has to succeed, and returns what it prints. */
function run(line: string, cwd = project): string {
  const { status, stdout, stderr } = spawnSync("sh", ["-ec", line], {
    cwd,
    encoding: "utf8",
    env: environment(),
  });
  expect(status, stderr).toBe(0);
  return stdout;
}

/** Puts one of this repository's own packages into the project. */
function install(name: string): void {
  const place = join(project, "node_modules", name);
  if (!existsSync(place)) symlinkSync(`${root}node_modules/${name}`, place);
}

beforeAll(() => {
  // Without its scripts, which would build dist/ anew under the other tests.
  run(`npm pack --ignore-scripts --silent --pack-destination ${JSON.stringify(project)}`, root);
  const tarball = readdirSync(project).find((file) => file.endsWith(".tgz"));
  run(`npm init --yes && npm install --offline --no-audit --no-fund ./${tarball}`);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** What the commands of the documents do. */
const COMMANDS: Record<string, (line: string) => void> = {
  "npm install complycube-tokens"() {
    expect(run("npm ls")).toContain("complycube-tokens@"); // From the tarball, above.
  },
  "export COMPLYCUBE_API_KEY=test_YOUR_KEY"(line) {
    run(line);
  },
  "npx complycube-tokens generate CLIENT_ID --referrer 'https://www.example.com/*'"(line) {
    expect(run(line)).toBe("<CLIENT_TOKEN>\n");
  },
  "npx complycube-tokens generate --batch clients.jsonl > results.jsonl"(line) {
    const web = '{"clientId":"ONE","referrer":"https://www.example.com/*"}';
    const mobile = '{"clientId":"TWO","appId":"com.example.app"}';
    writeFileSync(join(project, "clients.jsonl"), `${web}\n${mobile}\n`);

    run(line);

    const results = readFileSync(join(project, "results.jsonl"), "utf8").trim().split("\n");
    expect(results.map((result) => JSON.parse(result).token)).toEqual(["<CLIENT_TOKEN>", "<CLIENT_TOKEN>"]);
  },
  "npx complycube-tokens generate --batch clients.jsonl --resume results.jsonl >> results.jsonl"(line) {
    const results = join(project, "results.jsonl");
    const [first] = readFileSync(results, "utf8").split("\n");
    writeFileSync(results, `${first}\n`); // As if it had been stopped after one row.

    run(line);

    expect(readFileSync(results, "utf8").trim().split("\n")).toHaveLength(2);
  },
  "npx complycube-tokens check-referrer 'https://www.example.com/*' https://www.example.com/verify"(line) {
    expect(run(line)).toMatch(/^Result +matches$/m);
  },
  "npx complycube-tokens inspect - < token.txt"(line) {
    const claims = Buffer.from('{"iat":1800000000,"exp":1800003600}').toString("base64url");
    writeFileSync(join(project, "token.txt"), `eyJhbGciOiJIUzI1NiJ9.${claims}.c2lnbmF0dXJl\n`);

    expect(JSON.parse(run(line)).expiresAt).toBe("2027-01-15T09:00:00.000Z");
  },
  "export COMPLYCUBE_BASE_URL=http://127.0.0.1:4010 COMPLYCUBE_API_KEY=test_key"(line) {
    run(line);
  },
  "npm ci && npm run demo"() {
    expect(run("node scripts/demo.ts", root)).toContain("→ <CLIENT_TOKEN>"); // All but building dist/ anew.
  },
};
const RUN_ELSEWHERE = [
  ...["npm ci", "npm test", "npm ci && npm test"], // By .ci/run itself, this test among them.
  "NODE_USE_ENV_PROXY=1 HTTPS_PROXY=http://proxy.example.com:8080 node server.js", // By test/faults/proxy.test.ts.
  "npx @stoplight/prism-cli mock node_modules/complycube-tokens/dist/openapi.yaml", // By mock.test.ts.
];

const lines = DOCUMENTS.flatMap((file) => [...read(file).matchAll(/^```sh\n(.*?)^```/gms)])
  .flatMap(([, block = ""]) => block.trim().split("\n"))
  .map((line) => line.replace(/ +#.*/, ""))
  .filter((line) => !RUN_ELSEWHERE.includes(line));
const commands = [...new Set(lines)];

/** The whole programs of the guide: a block with a file's name, and the output that the page shows under it. */
const PROGRAM = /^```ts title="([^"]+)"\n(.*?)^```\n(?:\n```text title="Output"\n(.*?)^```)?/gms;
const programs = GUIDE.flatMap((page) =>
  [...read(page).matchAll(PROGRAM)].map(([, file = "", code = "", output]) => ({ page, file, code, output })),
);

/** The only TypeScript block of the README that holds this. */
function block(part: string): string {
  const found = [...read("README.md").matchAll(/^```ts\n(.*?)^```/gms)].filter(([code]) =>
    code.includes(part),
  );
  expect(found).toHaveLength(1);
  return found[0]?.[1] ?? "";
}

describe("the documents' commands", () => {
  test("are all run here or by .ci/run", () => {
    const { scripts } = JSON.parse(read("package.json"));

    expect([...commands].sort()).toEqual(Object.keys(COMMANDS).sort());
    expect(read(".ci/run")).toMatch(/^npm ci$.*^npm run check /ms);
    expect(scripts.check).toContain("npm test");
  });

  test.each(commands)("%s", (line) => COMMANDS[line]?.(line));

  test.each(DOCUMENTS)("that %s names are scripts of package.json", (file) => {
    const { scripts } = JSON.parse(read("package.json"));

    const named = [...read(file).matchAll(/npm run ([a-z][\w:-]*)/g)].map(([, script]) => script);

    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  });
});

describe("the guide's programs", () => {
  const needsRedis = ({ code }: { code: string }) => code.includes("ioredis");
  let redis: RedisServer | undefined;
  beforeAll(async () => {
    for (const name of ["hono", "@hono", "ioredis", "msw", "undici"]) install(name);
    if (hasRedis) redis = await startRedis();
    else console.warn("SKIPPED: the guide's program on Redis, without redis-server");
  });
  afterAll(() => redis?.stop());

  test.each(programs.filter((program) => hasRedis || !needsRedis(program)))(
    "$file of $page runs, and prints what the page shows",
    ({ file, code, output }) => {
      expect(output, "a program shows its output").toBeDefined();
      writeFileSync(join(project, file), code);

      expect(run(`REDIS_URL=${redis?.url ?? ""} node ${file}`)).toBe(output);
    },
  );

  test("are there on every page but that of the promises, which has a test for each, and the commands", () => {
    const without = GUIDE.filter((page) => !programs.some((program) => program.page === page));

    expect(without.map((page) => page.replace(/^.*\//, ""))).toEqual(["command-line.md", "security.md"]);
  });
});

describe("the README's code", () => {
  test("mints a token as the first call", () => {
    writeFileSync(join(project, "first.mts"), `${block("COMPLYCUBE_API_KEY })")}\nconsole.log(token);`);

    expect(run("node first.mts")).toBe("<CLIENT_TOKEN>\n");
  });

  test("answers a frontend as the endpoint", async () => {
    for (const name of ["hono", "@hono"]) install(name);
    const code = block("serve({").replace("port: 3000 });", "port: 0 }, ({ port }) => console.log(port));");
    writeFileSync(join(project, "endpoint.mts"), code);
    const server = spawn("node", ["endpoint.mts"], { cwd: project, env: environment() });
    try {
      const [port] = await once(server.stdout, "data");
      const ask = (cookie: string) =>
        fetch(`http://127.0.0.1:${Number(port)}/api/complycube-token`, {
          method: "POST",
          headers: { cookie, "sec-fetch-site": "same-origin" },
        });

      const answer = await ask("session=SESSION_ID");
      const refusal = await ask("session=SOMEONE_ELSE");

      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ token: "<CLIENT_TOKEN>" });
      expect(refusal.status).toBe(401);
    } finally {
      server.kill();
    }
  });
});
