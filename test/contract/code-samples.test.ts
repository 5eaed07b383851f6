import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, inject, test } from "vitest";
import { root } from "../../scripts/root.ts";

const run = promisify(execFile);
const sample = (file: string) => readFileSync(`${root}openapi/code-samples/${file}`, "utf8");
const environment = () => ({ ...process.env, COMPLYCUBE_BASE_URL: inject("prismUrl") });

const hasCurl = spawnSync("curl", ["--version"]).status === 0;
if (!hasCurl) console.warn("SKIPPED: the cURL samples, because there is no curl. CI installs it.");

async function runNode(type: "commonjs" | "module", code: string): Promise<string> {
  const { stdout } = await run(process.execPath, [`--input-type=${type}`, "--eval", code], {
    cwd: root, // So that the package finds itself by its name, as it will be found when it is installed.
    env: environment(),
  });
  return stdout.trim();
}

describe.each(["web", "mobile"])("the %s samples of the reference page", (kind) => {
  test("Node.js runs as CommonJS with only the package name changed", async () => {
    const code = sample(`${kind}/node.cjs`).replace("@complycube/api", "complycube-tokens");

    const printed = await runNode("commonjs", `(async () => { ${code}; console.log(token); })()`);

    expect(printed).toBe("<CLIENT_TOKEN>");
  });

  test("complycube-tokens runs as an ES module", async () => {
    const printed = await runNode(
      "module",
      `${sample(`${kind}/complycube-tokens.mjs`)}; console.log(token);`,
    );

    expect(printed).toBe("<CLIENT_TOKEN>");
  });

  test.skipIf(!hasCurl && !process.env.CI)("cURL runs with only the host changed", async () => {
    const command = sample(`${kind}/curl.sh`).replace("https://api.complycube.com", inject("prismUrl"));

    const { stdout } = await run("sh", ["-c", command]);

    expect(JSON.parse(stdout)).toEqual({ token: "<CLIENT_TOKEN>" });
  });
});
