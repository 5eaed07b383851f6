// Makes `generated/` from `openapi/openapi.yaml`. The same spec always gives the same bytes.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createClient } from "@hey-api/openapi-ts";
import openapiTS, { astToString } from "openapi-typescript";
import { redocly } from "./redocly.ts";
import { root } from "./root.ts";

/** Comments for what the package exports and the generators leave without one: by file, and by how it starts. */
const COMMENTS: Record<string, Record<string, string>> = {
  "openapi-typescript/schema.d.ts": {
    "interface paths ": "The paths of the spec, from which `openapi-fetch` derives its types.",
    "interface components ": 'The schemas of the spec, such as `components["schemas"]["TokenRequest"]`.',
  },
  "hey-api/client/types.gen.ts": {
    "interface Config<": "The settings of a client, or of one call.",
    "type Client ": "A generated client: a method for each HTTP method, its settings and its interceptors.",
  },
  "hey-api/client/client.gen.ts": {
    "const createClient ":
      "Makes a client with settings of its own, for the `client` option of `generateToken`.",
  },
  "hey-api/client/utils.gen.ts": {
    "const createConfig ": "Adds the default settings of a client to those given.",
  },
  "hey-api/client.gen.ts": {
    "const client:":
      "A client at the API's own address, shared by the whole process. It holds no API key: pass `auth` to each call.",
  },
  "hey-api/sdk.gen.ts": {
    "type Options<":
      "The options of `generateToken`: the client that sends the request, its body, and the settings of this call.",
  },
  "hey-api/types.gen.ts": {
    "type GenerateTokenData ": "The request of `generateToken`.",
    "type GenerateTokenErrors ": "The body that comes with each status that is not 2xx.",
    "type GenerateTokenResponses ": "The body that comes with each status that is 2xx.",
  },
  "hey-api/msw.gen.ts": {
    "type RequestHandlerOptions ":
      "Where the mocked API is, and what becomes of a call that nothing is set up for.",
    "type HandleGenerateTokenResponse ": "What the mocked endpoint answers.",
    "function createMswHandlers(": "Makes the handlers of every operation with the same options.",
  },
};

/** Writes all that is generated from `spec` into `folder`, which it empties first. */
export async function generate(folder: string, spec = "openapi/openapi.yaml"): Promise<void> {
  rmSync(folder, { recursive: true, force: true });

  // In one file: the code samples are files of their own, which generators would take for schemas.
  const bundle = join(folder, "openapi/openapi.yaml");
  for (const extension of ["yaml", "json"]) {
    const bundled = redocly(["bundle", spec, "-o", join(folder, `openapi/openapi.${extension}`)], "pipe");
    if (bundled.status !== 0) throw new Error(bundled.stderr);
  }

  const { servers } = JSON.parse(readFileSync(join(folder, "openapi/openapi.json"), "utf8"));
  writeFileSync(
    join(folder, "openapi/base-url.gen.ts"),
    `// Made by scripts/generate.ts. Do not edit.\n\n/** The API's own address: the first server of the spec. */\nexport const BASE_URL = ${JSON.stringify(servers[0].url)};\n`,
  );

  mkdirSync(join(folder, "openapi-typescript"), { recursive: true });
  const types = astToString(await openapiTS(pathToFileURL(bundle)));
  writeFileSync(
    join(folder, "openapi-typescript/schema.d.ts"),
    `// Made by openapi-typescript. Do not edit.\n\n${types}`,
  );

  await createClient({
    input: bundle,
    output: {
      path: join(folder, "hey-api"),
      module: { extension: ".ts" },
      // Its client is not written for exactOptionalPropertyTypes. What it exports is typed all the same.
      header: ["// @ts-nocheck", "// Made by @hey-api/openapi-ts. Do not edit."],
    },
    logs: { level: "silent" },
    parser: {
      patch: {
        schemas: {
          // Its comments lose the slash of every `/*`, which turns a pattern into another one: keep the first paragraph.
          Referrer: (schema) => {
            schema.description = schema.description?.split("\n\n")[0] ?? "";
          },
        },
      },
    },
    plugins: [
      "@hey-api/client-fetch",
      { name: "@hey-api/sdk", client: false }, // So that `generateToken` runs over whatever client it is given.
      "@hey-api/typescript",
      "@hey-api/schemas",
      "msw",
    ],
  });
  mendRequest(join(folder, "hey-api/client/client.gen.ts"));

  for (const [file, comments] of Object.entries(COMMENTS)) addComments(join(folder, file), comments);
}

function addComments(file: string, comments: Record<string, string>): void {
  let code = readFileSync(file, "utf8");
  for (const [start, comment] of Object.entries(comments)) {
    const [before = "", after, more] = code.split(`\nexport ${start}`);
    if (after === undefined || more !== undefined || before.endsWith("*/")) {
      throw new Error(`${file} no longer has one "export ${start}" without a comment: see COMMENTS.`);
    }
    code = `${before}\n/** ${comment} */\nexport ${start}${after}`;
  }
  writeFileSync(file, code);
}

/**
 * Hey API's client gives `new Request` all of its own options, and Deno takes `client` for its `Deno.HttpClient`. It also
 * follows redirects, which would take the body to another host and its answer for the API's.
 *
 * @see https://github.com/hey-api/hey-api/issues/4177
 */
function mendRequest(file: string): void {
  const code = readFileSync(file, "utf8");
  const mended = code.replace(
    /(const requestInit: ReqInit = \{\s+)redirect: 'follow',(\s+)\.\.\.opts,/,
    "$1redirect: 'manual',$2...opts,$2client: undefined,",
  );
  if (mended === code) throw new Error("Hey API's client builds its Request elsewhere now: mend it there.");
  writeFileSync(file, mended);
}

if (import.meta.main) await generate(join(root, "generated"));
