import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { root } from "../../scripts/root.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The tarball that `npm publish` would send. */
    tarball: string;
    /** A project that has installed the tarball and nothing else. */
    emptyProject: string;
    /** `test/package/consumer` with all that it names; `undefined` where npm could not fetch that. */
    consumer: string | undefined;
  }
}

const TYPED_PARTS = ["server", "mocked", "page"];
/** From npm's own cache where that has it, so that this runs without a network after `npm ci`. */
const QUIETLY = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];

/** Packs `dist/` as it is, once, and installs the tarball as its users would. */
export default function setup(project: TestProject): void {
  const folder = mkdtempSync(join(tmpdir(), "packed-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true })); // Also when what follows fails.
  // `npm test` has built already; the scripts of `npm pack` would do it again.
  const [packed] = JSON.parse(npm(root, "pack", "--json", "--ignore-scripts", "--pack-destination", folder));
  const tarball = join(folder, packed.filename);
  project.provide("tarball", tarball);

  const emptyProject = join(folder, "empty");
  mkdirSync(emptyProject);
  writeFileSync(join(emptyProject, "package.json"), "{}");
  npm(emptyProject, "install", ...QUIETLY, tarball);
  project.provide("emptyProject", emptyProject);

  const consumer = install(folder, "consumer", tarball);
  if (consumer !== undefined) {
    bothFormats(consumer);
    const withMsw2 = besideOlder(consumer, "msw-2", "msw");
    for (const file of ["mocked.mts", "mocked.cts"]) cpSync(join(consumer, file), join(withMsw2, file));
  }
  project.provide("consumer", consumer);
}

/** Installs one of the projects beside these tests, and the tarball in it; `undefined` where npm could not fetch that. */
export function install(folder: string, name: string, tarball: string): string | undefined {
  const installed = join(folder, name);
  cpSync(join(root, "test/package", name), installed, { recursive: true });
  try {
    npm(installed, "ci", ...QUIETLY);
  } catch (error) {
    if (process.env.CI) throw error;
    console.warn(`SKIPPED: the tests of the packed tarball in test/package/${name}. ${error}`);
    return undefined;
  }
  npm(installed, "install", "--no-save", ...QUIETLY, tarball);
  return installed;
}

function npm(cwd: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync("npm", args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ${args[0]} failed: ${error ?? stderr}`);
  return stdout;
}

/** Each part is compiled as an ES module and as CommonJS. */
function bothFormats(folder: string): void {
  for (const part of TYPED_PARTS) {
    for (const extension of ["mts", "cts"]) {
      cpSync(join(folder, `${part}.ts`), join(folder, `${part}.${extension}`));
    }
  }
}

/** A peer's older version in a folder of its own. What is linked is looked up from where it is, so we are copied. */
function besideOlder(consumer: string, older: string, peer: string): string {
  const folder = join(consumer, older);
  const modules = join(folder, "node_modules");
  mkdirSync(modules, { recursive: true });
  cpSync(join(consumer, "node_modules/complycube-tokens"), join(modules, "complycube-tokens"), {
    recursive: true,
  });
  symlinkSync(join(consumer, `node_modules/${older}`), join(modules, peer));
  return folder;
}
