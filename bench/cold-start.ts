import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { root } from "../scripts/root.ts";
import { API_KEY, CLIENT_ID, REFERRER } from "./exchange.ts";

/** What is timed: importing a package in a fresh process, or a fresh process up to its first token. */
export interface ColdStart {
  name: string;
  kind: "import" | "first token";
  /** One value a round, in milliseconds. */
  ms: number[];
}

const folder = `${root}.reports/bench`;
const settings = JSON.stringify({ apiKey: API_KEY, timeoutMs: 10_000 }).slice(1, -1);
const call = `(${JSON.stringify(CLIENT_ID)}, { referrer: ${JSON.stringify(REFERRER)} })`;
const post = `{
  method: "POST",
  headers: { authorization: ${JSON.stringify(API_KEY)}, "content-type": "application/json" },
  body: JSON.stringify({ clientId: ${JSON.stringify(CLIENT_ID)}, referrer: ${JSON.stringify(REFERRER)} }),
}`;

const imported: Record<string, string> = {
  "empty module": "./empty.mjs",
  "openapi-fetch": "openapi-fetch",
  "@complycube/api": "@complycube/api",
  "complycube-tokens": "complycube-tokens",
};

/** JavaScript, so that nothing is spent on stripping types. `url` is the server's. */
const firstToken: Record<string, string> = {
  "no token at all": "const token = 0;",
  fetch: `const { token } = await (await fetch(url + "/v1/tokens", ${post})).json();`,
  "undici.request": `import { request } from "undici";
const { token } = await (await request(url + "/v1/tokens", ${post})).body.json();`,
  "@complycube/api": `import { ComplyCube } from "@complycube/api";
const client = new ComplyCube({ apiKey: ${JSON.stringify(API_KEY)} });
client.axiosInstance.defaults.baseURL = url + "/v1";
const token = await client.token.generate${call};`,
  "complycube-tokens": `import { ComplyCube } from "complycube-tokens";
const client = new ComplyCube({ ${settings}, baseUrl: url });
const token = await client.token.generate${call};`,
};

/** Starts each process once a round, one after the other, in another order each time. */
export async function measureColdStarts(url: string, rounds: number): Promise<ColdStart[]> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/empty.mjs`, "");
  const cases = [
    ...Object.entries(imported).map(([name, specifier]) => ({
      name,
      kind: "import" as const,
      ms: [] as number[],
      file: write(
        `import ${name}`,
        `const start = performance.now();\nawait import(${JSON.stringify(specifier)});\nconsole.log(performance.now() - start);\n`,
      ),
    })),
    ...Object.entries(firstToken).map(([name, code]) => ({
      name,
      kind: "first token" as const,
      ms: [] as number[],
      file: write(
        `first ${name}`,
        `const url = process.argv[2];\n${code}\nconsole.log(performance.timeOrigin + performance.now());\n` +
          'if (token?.length === 0) throw new Error("no token");\nprocess.exit();\n',
      ),
    })),
  ];
  for (const each of cases) await run(each.file, url); // The files are in the page cache from here on.
  for (let round = 0; round < rounds; round++) {
    for (let index = 0; index < cases.length; index++) {
      const each = cases[(index + round) % cases.length] as (typeof cases)[number];
      const startedAt = performance.timeOrigin + performance.now();
      const printed = await run(each.file, url);
      each.ms.push(each.kind === "import" ? printed : printed - startedAt);
    }
  }
  return cases.map(({ name, kind, ms }) => ({ name, kind, ms }));
}

function write(name: string, code: string): string {
  const file = `${folder}/${name.replace(/\W+/g, "-")}.mjs`;
  writeFileSync(file, code);
  return file;
}

async function run(file: string, url: string): Promise<number> {
  const child = spawn(process.execPath, [file, url], { stdio: ["ignore", "pipe", "inherit"] });
  const printed = Number.parseFloat(await text(child.stdout));
  if (Number.isNaN(printed)) throw new Error(`${file} printed no time.`);
  return printed;
}
