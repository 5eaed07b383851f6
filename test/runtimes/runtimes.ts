import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { root } from "../../scripts/root.ts";
import { findChromium } from "../support/chromium.ts";

/** Something that runs JavaScript. */
export interface Runtime {
  name: string;
  isBrowser?: true;
  /** Fetches it where it is not there yet. Throws when that fails. */
  prepare(): { command: string[]; version: string };
  /** What is run: each a list of arguments, before the suite's settings. */
  starts: string[][];
  /** Where the command line runs too: what comes before its file. */
  commandLine?: string[];
  /** How the command line fares where a permission is missing: what comes before its file, and all that it prints. */
  withheld?: { name: string; before: string[]; args: string[]; prints: RegExp; code: number }[];
  /** The example that it serves. */
  example?: string;
  /** A last argument: where the runtime was fetched to. */
  folder?(): string;
}

const { platform, arch } = process;
const here = `${root}test/runtimes/`;
const fetched = `${root}.runtimes/`;
/** By whom the hosts are run: the project's own Node.js. */
const node = process.execPath;

/** Installs one package, whose scripts do not run, into a folder of its own; it stays there. */
function fetchPackage(name: string, version: string): string {
  const folder = `${fetched}${name.replace("/", "-")}-${version}`;
  const found = `${folder}/node_modules/${name}`;
  // npm writes this file last.
  if (existsSync(`${folder}/node_modules/.package-lock.json`)) return found;
  rmSync(folder, { recursive: true, force: true });
  const args = ["--prefix", folder, "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { status, stderr } = spawnSync("npm", ["install", ...args, `${name}@${version}`], {
    encoding: "utf8",
  });
  if (status !== 0 || !existsSync(found)) {
    throw new Error(`${name} ${version} could not be fetched. npm says:\n${stderr.trim()}`);
  }
  return found;
}

/** Node.js as its package for one platform, which needs no script to run. */
function nodeJs(name: string, version: string): Runtime {
  return {
    name,
    prepare: () => ({ command: [`${fetchPackage(`node-${platform}-${arch}`, version)}/bin/node`], version }),
    starts: [["start.mjs"], ["start.cjs"]],
    commandLine: [],
  };
}

const bunArch = { arm64: "aarch64", x64: "x64-baseline" }[arch as string] ?? arch;
const denoLibc = platform === "linux" ? "-glibc" : "";
const { version: workerdVersion } = JSON.parse(
  readFileSync(`${root}node_modules/workerd/package.json`, "utf8"),
);

/** What a bundler or another package manager makes of the package, run on the project's own Node.js. */
function through(name: string, host: string, tool: string, npmName: string, version: string): Runtime {
  const folder = () => fetchPackage(npmName, version);
  return {
    name: `Node.js 24, ${name}`,
    prepare() {
      folder();
      return { command: [node, `${here}${host}.ts`, tool], version };
    },
    starts: [["start.mjs"]],
    folder,
  };
}

const EDGE_VERSION = "4.0.1";

/** The file of rows for the command line, and its options for one token. */
export const BATCH = "clients.jsonl";
export const MOBILE = ["--app-id", "com.myapp.demo.app"];
/** As the guide says it. */
const DENO_ENVIRONMENT = "--allow-env=COMPLYCUBE_API_KEY,COMPLYCUBE_BASE_URL";

/** All of them, in the order of the table. Raise the versions here. */
export const RUNTIMES: readonly Runtime[] = [
  nodeJs("Node.js 22", "22.23.3"),
  nodeJs("Node.js 24", "24.21.0"),
  nodeJs("Node.js 26", "26.10.0"),
  {
    name: "Bun",
    prepare() {
      const version = "1.4.5";
      return { command: [`${fetchPackage(`@oven/bun-${platform}-${bunArch}`, version)}/bin/bun`], version };
    },
    starts: [["start.mjs"], ["serve.mjs"]],
    commandLine: [],
    example: "bun.ts",
  },
  {
    name: "Deno",
    prepare() {
      const version = "2.9.6";
      const deno = `${fetchPackage(`@deno/${platform}-${arch}${denoLibc}`, version)}/deno`;
      return { command: [deno, "run", "--no-prompt", "--allow-net=127.0.0.1"], version };
    },
    starts: [["start.mjs"], ["serve.mjs"]],
    commandLine: [DENO_ENVIRONMENT, "--allow-read=."],
    withheld: [
      {
        name: "without --allow-read, it says so",
        before: [DENO_ENVIRONMENT],
        args: ["generate", "--batch", BATCH],
        prints: /^Cannot read "\S+": Deno has no permission; run it with --allow-read\. Try: [^\n]+\n$/,
        code: 2,
      },
      {
        name: "without --allow-env, it says so",
        before: [],
        args: ["generate", "CLIENT_ID", ...MOBILE],
        prints: /^Requires env access to "COMPLYCUBE_API_KEY", run again with the --allow-env flag\.\n$/,
        code: 2,
      },
      {
        name: "without any, a check of a pattern needs none, although colour is asked for",
        before: [],
        args: ["check-referrer", "https://www.example.com/*", "https://www.example.com/"],
        prints: /^Pattern [\s\S]+\nResult +matches\n/,
        code: 0,
      },
    ],
  },
  {
    name: "workerd (Cloudflare)",
    prepare: () => ({ command: [node, `${here}host-workerd.ts`], version: workerdVersion }),
    starts: [["worker.js"]],
  },
  {
    name: "Edge Runtime (Vercel)",
    prepare() {
      fetchPackage("edge-runtime", EDGE_VERSION);
      return { command: [node, `${here}host-edge.ts`], version: EDGE_VERSION };
    },
    starts: [["script.js"]],
    folder: () => fetchPackage("edge-runtime", EDGE_VERSION),
  },
  {
    name: "Chromium, with the override",
    isBrowser: true,
    prepare() {
      const chromium = findChromium("Chromium");
      if (chromium === undefined) throw new Error("There is no Chromium.");
      const { stdout } = spawnSync(chromium, ["--version", "--no-sandbox"], { encoding: "utf8" });
      return { command: [node, `${here}host-chromium.ts`], version: /\d[\d.]*/.exec(stdout)?.[0] ?? "" };
    },
    starts: [["script.js"]],
  },
  through("installed by pnpm", "host-installer", "pnpm", "pnpm", "12.21.0"),
  through("installed by Yarn, Plug'n'Play", "host-installer", "yarn", "@yarnpkg/cli-dist", "4.18.1"),
  through("bundled by esbuild", "host-bundler", "esbuild", "esbuild", "0.28.2"),
  through("bundled by webpack", "host-bundler", "webpack", "webpack", "5.112.2"),
  through("bundled by Rspack", "host-bundler", "rspack", "@rspack/core", "2.3.3"),
  through("bundled by Vite for a server", "host-bundler", "vite", "vite", "8.3.8"),
];
