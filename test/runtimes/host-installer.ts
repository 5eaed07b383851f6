// Installs the tarball with another package manager and runs the suite there. Usage: node host-installer.ts MANAGER ENTRY SETTINGS FOLDER
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

const [manager = "", entry = "", settings = "", folder = ""] = process.argv.slice(2);
const project = resolve(`installed-by-${manager}`);

/** The file that is the package manager, what installs with it, and what Node.js is started with afterwards. */
const MANAGERS: Record<string, { file: string; install: string[]; node: string[] }> = {
  pnpm: { file: "bin/pnpm.mjs", install: ["install", "--offline", "--ignore-scripts"], node: [] },
  yarn: {
    file: "bin/yarn.js",
    install: ["install"],
    node: ["--require", "./.pnp.cjs", "--loader", "./.pnp.loader.mjs"], // Plug'n'Play: there is no node_modules.
  },
};

const { file, install, node } = MANAGERS[manager] ?? { file: "", install: [], node: [] };
const tarball = readdirSync(".").find((name) => name.endsWith(".tgz"));
mkdirSync(project);
const dependencies = { "complycube-tokens": `file:../${tarball}` };
writeFileSync(`${project}/package.json`, JSON.stringify({ private: true, type: "module", dependencies }));
writeFileSync(
  `${project}/.yarnrc.yml`,
  "enableTelemetry: false\nenableNetwork: false\nenableGlobalCache: false\n",
);
writeFileSync(`${project}/yarn.lock`, ""); // Its own project, whatever lies above.
for (const name of [entry, "suite.js"]) cpSync(name, `${project}/${name}`);

run([`${folder}/${file}`, ...install], "ignore");
run([...node, entry, settings], "inherit");

function run(args: string[], stdout: "ignore" | "inherit"): void {
  const { status } = spawnSync(process.execPath, args, {
    cwd: project,
    env: { ...process.env, YARN_IGNORE_PATH: "1", YARN_ENABLE_IMMUTABLE_INSTALLS: "false" },
    stdio: ["ignore", stdout, "inherit"],
  });
  if (status !== 0) process.exit(status ?? 1);
}
