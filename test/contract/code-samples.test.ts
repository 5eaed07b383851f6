import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, inject, test } from "vitest";
import { root } from "../../scripts/root.ts";

const run = promisify(execFile);
const sample = (file: string) => readFileSync(`${root}openapi/code-samples/${file}`, "utf8");
const environment = () => ({ ...process.env, COMPLYCUBE_BASE_URL: inject("prismUrl") });

/** Whether a tool is there. Where it is not, its samples are skipped out loud; CI installs it, and skips nothing. */
function has(tool: string): boolean {
  const found = spawnSync(tool, ["--version"]).status === 0;
  if (!found) console.warn(`SKIPPED: the samples that need ${tool}, which is not there. CI installs it.`);
  return found || process.env.CI !== undefined;
}

const folder = mkdtempSync(join(tmpdir(), "complycube-samples-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

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

  test.runIf(has("curl"))("cURL runs with only the host changed", async () => {
    const command = sample(`${kind}/curl.sh`).replace("https://api.complycube.com", inject("prismUrl"));

    const { stdout } = await run("sh", ["-c", command]);

    expect(JSON.parse(stdout)).toEqual({ token: "<CLIENT_TOKEN>" });
  });

  test.runIf(has("php"))("PHP parses", async () => {
    const file = write(`${kind}.php`, `<?php\n${sample(`${kind}/php.php`)}`);

    const { stdout } = await run("php", ["-l", file]);

    expect(stdout).toContain("No syntax errors detected");
  });

  test.runIf(has("python3"))("Python parses", async () => {
    const file = write(`${kind}.py`, sample(`${kind}/python.py`));

    await expect(run("python3", ["-m", "py_compile", file])).resolves.toMatchObject({ stderr: "" });
  });

  test.runIf(has("mcs"))(".NET compiles against the types of ComplyCube's client", async () => {
    const [usings, ...statements] = sample(`${kind}/dotnet.cs`).split("\n\n");
    // Debian's compiler knows C# 7, where statements stand in a method.
    const method = `static async System.Threading.Tasks.Task Run() {\n${statements.join("\n")}}`;
    const program = write(`${kind}.cs`, `${usings}\nstatic class Sample { ${method} }`);
    const client = write("client.cs", DOTNET_CLIENT);

    const compiled = run("mcs", [
      "-target:library",
      "-nowarn:219",
      `-out:${folder}/${kind}.dll`,
      program,
      client,
    ]);

    await expect(compiled).resolves.toMatchObject({ stderr: "" });
  });
});

/** What the samples use of the NuGet package ComplyCube.Net, which this machine may not fetch. */
const DOTNET_CLIENT = `
namespace ComplyCube.Net {
  public class ComplyCubeClient { public ComplyCubeClient(string apiKey) {} }
}
namespace ComplyCube.Net.Resources.SDKTokens {
  public class SDKTokenRequest {
    public string clientId { get; set; }
    public string referrer { get; set; }
    public string appId { get; set; }
  }
  public class SDKToken { public string token { get; set; } }
  public class SDKTokenApi {
    public SDKTokenApi(ComplyCubeClient client) {}
    public System.Threading.Tasks.Task<SDKToken> GenerateToken(SDKTokenRequest request) { return null; }
  }
}
`;
