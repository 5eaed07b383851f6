import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";

const consumer = inject("consumer") ?? "";

interface Compilation {
  files: string[];
  options: Record<string, unknown>;
  /** Below the consumer's folder. */
  folder?: string;
}

let compilations = 0;

/** What `tsc` says of some files of the consumer, as strictly as a user can ask for. */
function errors(typescript: string, { files, options, folder = "." }: Compilation): Promise<string> {
  const project = join(consumer, folder, `tsconfig.${++compilations}.json`);
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    target: "es2022",
    types: ["node"],
    ...options,
  };
  writeFileSync(project, JSON.stringify({ compilerOptions, files }));
  const tsc = join(consumer, `node_modules/typescript-${typescript}/bin/tsc`);
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, "--project", project], (error, stdout, stderr) => {
      resolve(error ? stdout + stderr || String(error) : "");
    });
  });
}

const MODES = {
  nodenext: { module: "nodenext" },
  node16: { module: "node16" },
  bundler: { module: "esnext", moduleResolution: "bundler" },
};
/** Without `exports`: what `moduleResolution: "node"` means. The types of `redis` want `esModuleInterop`. */
const NODE10 = { module: "commonjs", moduleResolution: "node10", esModuleInterop: true };
const server = ["server.mts", "server.cts"];
const page = ["page.mts", "page.cts"];

/**
 * MSW 3 is an ES module, which `node16` lets no CommonJS file load and `node10` does not understand, and its own types do
 * not compile with TypeScript 5.5. There people have MSW 2, which is compiled apart.
 */
function mocked(typescript: string, mode: string): string[] {
  if (typescript === "5.5") return [];
  return mode === "node16" ? ["mocked.mts"] : ["mocked.mts", "mocked.cts"];
}

describe.skipIf(!consumer).concurrent.each(["5.5", "5.9", "6", "7"])("with TypeScript %s", (typescript) => {
  const matrix = Object.entries(MODES).flatMap(([mode, options]) =>
    [false, true].map((skipLibCheck) => ({ mode, skipLibCheck, options })),
  );

  test.each(matrix)("every subpath has types in $mode, skipLibCheck $skipLibCheck", async (row) => {
    const files = [...server, ...page, ...mocked(typescript, row.mode)];

    const found = await errors(typescript, {
      files,
      options: { ...row.options, skipLibCheck: row.skipLibCheck },
    });

    expect(found).toBe("");
  });

  test("a server needs the types of Node.js, ES2020, and no DOM", async () => {
    const options = { ...MODES.nodenext, lib: ["es2020"] };

    const found = await errors(typescript, { files: server, options });

    expect(found).toBe("");
  });

  test.each([
    ["without the DOM", ["es2022"]],
    ["with the DOM", ["es2022", "dom"]],
  ])("the fetch option takes whatever is a fetch, %s", async (_, lib) => {
    const options = { ...MODES.nodenext, lib };

    const found = await errors(typescript, { files: ["fetches.ts"], options });

    expect(found).toBe("");
  });

  test("a Cloudflare Worker needs its own types alone", async () => {
    const options = { ...MODES.bundler, lib: ["es2022"], types: ["@cloudflare/workers-types"] };

    const found = await errors(typescript, { files: ["worker.ts"], options });

    expect(found).toBe("");
  });

  test("a page needs the DOM, and no types of Node.js", async () => {
    const options = { ...MODES.bundler, lib: ["es2020", "dom"], types: [] };

    const found = await errors(typescript, { files: page, options });

    expect(found).toBe("");
  });
});

describe.skipIf(!consumer).concurrent("where modules are resolved as in Node.js 10", () => {
  test.each([
    ["5.5", {}],
    ["5.9", {}],
    ["6", { ignoreDeprecations: "6.0" }], // The last to have it.
  ])("TypeScript %s finds every subpath", async (typescript, more) => {
    const files = ["server.cts", "page.cts"];

    const found = await errors(typescript, { files, options: { ...NODE10, ...more } });

    expect(found).toBe("");
  });
});

describe.skipIf(!consumer).concurrent("with MSW 2", () => {
  test.each([
    ["nodenext", MODES.nodenext, ["mocked.mts", "mocked.cts"]],
    ["node16", MODES.node16, ["mocked.mts", "mocked.cts"]],
    ["node10", NODE10, ["mocked.cts"]],
  ])("TypeScript 5.5 compiles the handlers in %s", async (_mode, options, files) => {
    const found = await errors("5.5", { files, options, folder: "msw-2" });

    expect(found).toBe("");
  });
});
