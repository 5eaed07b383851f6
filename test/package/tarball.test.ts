import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { describe, expect, inject, test } from "vitest";
import { root } from "../../scripts/root.ts";

const tarball = inject("tarball");
const installed = join(inject("emptyProject"), "node_modules/complycube-tokens");
const read = (file: string) => readFileSync(join(installed, file), "utf8");
const manifest = JSON.parse(read("package.json"));
const files = readdirSync(installed, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))
  .sort();

const BESIDE_THE_CODE = ["CHANGELOG.md", "LICENSE", "README.md", "THIRD-PARTY.md", "package.json"];
const MAP_COMMENT = /\/\/# sourceMappingURL=(.+)/;

/** The strings of a condition tree, such as `exports`. */
const targets = (conditions: unknown): string[] =>
  typeof conditions === "string" ? [conditions] : Object.values(conditions ?? {}).flatMap(targets);

/** Where the relative imports of a file lead: to code, or from one declaration to the next. */
function imported(file: string): string[] {
  const declarations = /\.d\.c?ts$/.test(file);
  return [...read(file).matchAll(/(?:from|import|import\(|require\()\s*["'](\.[^"']+)["']/g)].map(
    ([, path]) => {
      const target = posix.join(posix.dirname(file), path as string);
      return declarations ? target.replace(/\.(c?)js$/, ".d.$1ts") : target;
    },
  );
}

const mapOf = (file: string) => {
  const map = MAP_COMMENT.exec(read(file))?.[1];
  return map === undefined ? [] : [posix.join(posix.dirname(file), map)];
};

/** All that some fields of package.json lead to, with the source maps. */
function reached(...fields: string[]): Set<string> {
  const found = new Set(
    fields.flatMap((field) => targets(manifest[field])).map((path) => posix.normalize(path)),
  );
  for (const file of found) {
    if (!/\.(c?js|ts|cts)$/.test(file)) continue;
    for (const target of [...imported(file), ...mapOf(file)]) found.add(target);
  }
  return found;
}

describe("the tarball", () => {
  test("holds what its entries lead to, the documents, the examples, and nothing else", () => {
    const needed = reached("exports", "main", "module", "types", "bin");
    const examples = readdirSync(`${root}examples`, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));

    expect(files).toEqual([...new Set([...BESIDE_THE_CODE, ...needed, ...examples])].sort());
  });

  test("passes publint, its suggestions included", async () => {
    const { messages } = await publint({
      pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer },
      strict: true,
      level: "suggestion",
    });

    expect(messages).toEqual([]);
  });

  test("has types for every subpath that no way of resolving modules gets wrong", async () => {
    const result = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(tarball))), {
      excludeEntrypoints: ["./openapi.yaml", "./openapi.json", "./package.json"],
    });

    if (!result.types) throw new Error("The package has no types.");
    expect(result.problems).toEqual([]);
    expect(Object.keys(result.entrypoints)).toEqual(
      Object.keys(manifest.exports).filter((subpath) => !/\.(yaml|json)$/.test(subpath)),
    );
    for (const { resolutions } of Object.values(result.entrypoints)) {
      expect(Object.keys(resolutions)).toEqual(["node10", "node16-cjs", "node16-esm", "bundler"]);
    }
  });

  test("says what npm and bundlers ask for", () => {
    expect(manifest).toMatchObject({
      type: "module",
      sideEffects: false,
      engines: { node: ">=22" },
      license: "MIT",
    });
    expect(read("LICENSE")).toContain("MIT License");
  });
});

describe("a source map", () => {
  const code = files.filter((file) => /^dist\/.*\.c?js$/.test(file));
  const maps = files.filter((file) => file.endsWith(".map"));

  test("is there for all code but the command line, which is a bundle", () => {
    const commandLine = reached("bin");
    const withoutMap = code.filter((file) => mapOf(file).length === 0 && !commandLine.has(file));
    // An entry may only pass on what a shared file exports.
    const withCode = withoutMap.filter((file) => /\bfunction\b|\bclass\b|=>/.test(read(file)));

    expect(withCode).toEqual([]);
  });

  test("is named by the file that it belongs to", () => {
    expect(code.flatMap(mapOf).sort()).toEqual(maps);
  });

  test.each(maps)("%s has each of its sources, in itself or in the tarball", (file) => {
    const map = JSON.parse(read(file));

    expect(map.version).toBe(3);
    expect(map.mappings).not.toBe("");
    expect(map.sources).not.toEqual([]);
    const missing = map.sources.filter(
      (source: string, at: number) =>
        !map.sourcesContent?.[at] && !existsSync(join(installed, posix.join(posix.dirname(file), source))),
    );
    expect(missing).toEqual([]);
  });

  test.each([
    ["an ES module", 'import { ComplyCube } from "complycube-tokens";', "module"],
    ["CommonJS", 'const { ComplyCube } = require("complycube-tokens");', "commonjs"],
  ])("leads from a stack of %s to the line of the source", (_format, load, type) => {
    const code = `${load} try { new ComplyCube({ apiKey: 1 }) } catch (error) { console.log(error.stack) }`;
    const args = ["--enable-source-maps", `--input-type=${type}`, "--eval", code];

    const { stdout } = spawnSync(process.execPath, args, { cwd: inject("emptyProject"), encoding: "utf8" });

    const place = /src\/(\S+\.ts):(\d+):\d+/.exec(stdout);
    expect(place, stdout).not.toBeNull();
    const source = readFileSync(new URL(`../../src/${place?.[1]}`, import.meta.url), "utf8");
    expect(source.split("\n")[Number(place?.[2]) - 1]).toMatch(/new \w+\(/);
  });
});
