// Makes `generated/` from `openapi/openapi.yaml`. The same spec always gives the same bytes.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createClient } from "@hey-api/openapi-ts";
import openapiTS, { astToString } from "openapi-typescript";
import { root } from "./root.ts";

/** Docblocks for what the package exports and the generators leave without one: file, how it starts, docblock. */
const DOCBLOCKS: [file: string, start: string, docblock: string][] = [
  ["openapi-typescript/schema.d.ts", "interface paths ", "The paths of the spec."],
  ["openapi-typescript/schema.d.ts", "interface components ", "The schemas of the spec."],
  ["hey-api/client/types.gen.ts", "interface Config<", "The settings of a client, or of one call."],
  ["hey-api/client/types.gen.ts", "type Client ", "A client: its methods, settings and interceptors."],
  ["hey-api/client/utils.gen.ts", "const createConfig ", "Fills in the default settings of a client."],
  [
    "hey-api/sdk.gen.ts",
    "type Options<",
    "The client to send with, the body, and the settings of this call.",
  ],
  ["hey-api/types.gen.ts", "type GenerateTokenData ", "The request of `generateToken`."],
  ["hey-api/types.gen.ts", "type GenerateTokenErrors ", "The body of each status that is not 2xx."],
  ["hey-api/types.gen.ts", "type GenerateTokenResponses ", "The body of each status that is 2xx."],
  ["hey-api/msw.gen.ts", "type RequestHandlerOptions ", "Where the API is mocked, and what other calls get."],
  ["hey-api/msw.gen.ts", "type HandleGenerateTokenResponse ", "What the mocked endpoint answers."],
  ["hey-api/msw.gen.ts", "function createMswHandlers(", "Makes all handlers with the same options."],
];

/** Writes all that is generated from `spec` into `folder`. */
export async function generate(folder: string, spec = "openapi/openapi.yaml"): Promise<void> {
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);

  // In one file: the code samples are files of their own, which generators would take for schemas.
  const bundle = join(folder, "openapi/openapi.yaml");
  const redocly = `${root}node_modules/.bin/redocly`;
  for (const extension of ["yaml", "json"]) {
    const file = join(folder, `openapi/openapi.${extension}`);
    execFileSync(redocly, ["bundle", spec, "-o", file], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }

  // What the generators leave in the spec.
  const { servers, components } = JSON.parse(readFileSync(join(folder, "openapi/openapi.json"), "utf8"));
  const [key] = Object.values(components.securitySchemes) as { name: string }[];
  write(
    "openapi/constants.gen.ts",
    `// Made by scripts/generate.ts. Do not edit.

/** The API's own address: the first server of the spec. */
export const BASE_URL = ${JSON.stringify(servers[0].url)};

/** The header that carries the API key. */
export const KEY_HEADER = ${JSON.stringify(key?.name)};
`,
  );
  const types = astToString(await openapiTS(pathToFileURL(bundle)));
  mkdirSync(join(folder, "openapi-typescript"), { recursive: true });
  write("openapi-typescript/schema.d.ts", `// Made by openapi-typescript. Do not edit.\n\n${types}`);

  // So that `generateToken` runs over whatever client it is given.
  const sdk = { name: "@hey-api/sdk", client: false } as const;
  // Comments lose the slash of every `/*`, which turns a pattern into another one: keep the first paragraph.
  const shorten = (schema: { description?: string }) => {
    schema.description = schema.description?.split("\n\n")[0] ?? "";
  };
  await createClient({
    input: bundle,
    output: {
      path: join(folder, "hey-api"),
      module: { extension: ".ts" },
      // Its client is not written for exactOptionalPropertyTypes. What it exports is typed all the same.
      header: ["// @ts-nocheck", "// Made by @hey-api/openapi-ts. Do not edit."],
    },
    logs: { level: "silent" },
    parser: { patch: { schemas: { Referrer: shorten } } },
    plugins: ["@hey-api/client-fetch", sdk, "@hey-api/typescript", "@hey-api/schemas", "msw"],
  });

  for (const [file, start, docblock] of DOCBLOCKS) {
    edit(join(folder, file), `\nexport ${start}`, (found) => `\n/** ${docblock} */${found}`);
  }
  // It gives `new Request` all of its own options, and Deno takes `client` for its `Deno.HttpClient`
  // (https://github.com/hey-api/hey-api/issues/4177). And it follows redirects, which would take the body to another host.
  edit(
    join(folder, "hey-api/client/client.gen.ts"),
    /redirect: 'follow',\s+\.\.\.opts,/,
    () => "redirect: 'manual', ...opts, client: undefined,",
  );
}

/** Replaces the one place of a file that is looked for; throws when a new generator no longer writes it. */
function edit(file: string, place: string | RegExp, replace: (found: string) => string): void {
  const code = readFileSync(file, "utf8");
  if (code.split(place).length !== 2)
    throw new Error(`${file} no longer has one ${place}: see scripts/generate.ts.`);
  writeFileSync(file, code.replace(place, replace));
}

if (import.meta.main) await generate(process.argv[2] ?? join(root, "generated"));
