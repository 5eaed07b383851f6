import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { root } from "../../scripts/root.ts";

/** What a process that imports one part of the built package has to tell of it. */
interface Watched {
  files: string[];
  builtins: string[];
  touched: string[];
  resources: string[];
}

/** Loads a file in a process that may read the package, and nothing else. */
function watchImport(file: string): Watched {
  const readable = ["dist/", "package.json", "test/support/watch-import.ts"];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      "--permission",
      ...readable.map((path) => `--allow-fs-read=${root}${path}`),
      "test/support/watch-import.ts",
      file,
    ],
    { cwd: root, encoding: "utf8", env: { PATH: process.env.PATH } },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Watched;
}

describe("importing the package", () => {
  test.each([
    "index.js",
    "index.cjs",
    "handler.js",
    "handler.cjs",
    "fetch.js",
    "fetch.cjs",
    "referrer.js",
    "referrer.cjs",
  ])("dist/%s reads its own files and creates nothing", (file) => {
    const { files, builtins, touched, resources } = watchImport(file);

    expect(files).toContain(`dist/${file}`);
    expect(files.filter((read) => !read.startsWith("dist/"))).toEqual([]);
    expect(builtins).toEqual([]); // Node.js loads its fetch, its streams and the like when they are first touched.
    expect(touched).toEqual([]);
    expect(resources).toEqual([]);
  });
});
