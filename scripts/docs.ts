// Builds the site into site/, and installs its generator in docs/ first when it is not there or not up to date.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { root } from "./root.ts";

const folder = `${root}docs/`;
const installed = `${folder}node_modules/.installed-lock.json`;

function run(command: string, ...args: string[]): void {
  const env = { ...process.env, ASTRO_TELEMETRY_DISABLED: "1" };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8", env });
  if (status === 0) return;
  console.error(stdout, stderr);
  process.exit(1);
}

const lock = readFileSync(`${folder}package-lock.json`, "utf8");
if (!existsSync(installed) || readFileSync(installed, "utf8") !== lock) {
  console.log("Installing the site's generator in docs/ …");
  run("npm", "ci");
  writeFileSync(installed, lock);
}
run(process.execPath, "node_modules/astro/bin/astro.mjs", "build", "--force");
console.log("The site is in site/. Look at it with `npm run docs:serve`.");
