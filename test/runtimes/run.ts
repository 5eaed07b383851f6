// Runs one suite on every runtime, from the packed tarball, and prints a table. `--write` puts it into the guide.
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs, styleText } from "node:util";
import { Rolldown } from "tsdown";
import { startMock } from "../../scripts/mock.ts";
import { root } from "../../scripts/root.ts";
import { startFaults } from "./faults.ts";
import { BATCH, MOBILE, RUNTIMES, type Runtime } from "./runtimes.ts";
import type { Result } from "./suite.js";
import { type Row, writeTable } from "./table.ts";

const KEY = "test_RUNTIMES_KEY_1234567890";
const TIMEOUT_MS = 60_000;
const CLI = "node_modules/complycube-tokens/dist/cli.js";
const here = `${root}test/runtimes/`;
const { values } = parseArgs({ options: { write: { type: "boolean" } } });

const project = mkdtempSync(join(tmpdir(), "complycube-runtimes-"));
const mock = await startMock();
const faults = await startFaults();
try {
  await createProject();
  const rows: Row[] = [];
  for (const runtime of RUNTIMES) rows.push(await measure(runtime));
  mkdirSync(`${root}.reports`, { recursive: true });
  writeFileSync(`${root}.reports/runtimes.json`, JSON.stringify(rows));
  const isWhole = rows.every(
    ({ failures, skipped }) => failures.length === 0 && !(skipped && process.env.CI),
  );
  if (values.write && isWhole) writeTable(rows);
  if (!isWhole) process.exitCode = 1;
} finally {
  await faults.close();
  await mock.stop();
  rmSync(project, { recursive: true, force: true });
}

/** A user's project: the tarball, the suite, and a batch for the command line. */
async function createProject(): Promise<void> {
  npm(["pack", "--ignore-scripts", "--silent", "--pack-destination", project], root);
  const tarball = readdirSync(project).find((file) => file.endsWith(".tgz"));
  writeFileSync(join(project, "package.json"), '{"private":true,"type":"module"}');
  npm(["install", "--offline", "--no-audit", "--no-fund", `./${tarball}`], project);
  for (const file of ["suite.js", "start.mjs", "start.cjs", "serve.mjs", "bundled.js"]) {
    cpSync(here + file, join(project, file));
  }
  writeFileSync(
    join(project, BATCH),
    `${'{"clientId":"CLIENT_ID","appId":"com.myapp.demo.app"}\n'.repeat(2)}`,
  );
  cpSync(`${root}examples`, join(project, "examples"), { recursive: true });
  const bundle = await Rolldown.rolldown({ input: join(project, "bundled.js"), platform: "neutral" });
  await bundle.write({ file: join(project, "worker.js"), format: "esm", codeSplitting: false });
  await bundle.write({ file: join(project, "script.js"), format: "iife", name: "bundled" });
  await bundle.close();
}

function npm(args: string[], cwd: string): void {
  const { status, stderr } = spawnSync("npm", args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} failed:\n${stderr}`);
}

/** Fetches a runtime, runs the suite on it, and says what came of it. */
async function measure(runtime: Runtime): Promise<Row> {
  const settings = {
    key: KEY,
    mockUrl: mock.url,
    faultsUrl: faults.url,
    isBrowser: runtime.isBrowser === true,
  };
  const row: Row = { runtime: runtime.name, version: "", passed: 0, failures: [] };
  try {
    const { command, version } = runtime.prepare();
    row.version = version;
    const results: Result[] = [];
    for (const start of runtime.starts) {
      results.push(...(await run(command, [...start, JSON.stringify(settings)], runtime.folder?.())));
    }
    if (runtime.commandLine) results.push(...(await runCommandLine([...command, ...runtime.commandLine])));
    for (const { name, before, args, prints, code } of runtime.withheld ?? []) {
      const { printed, ended } = await start([...command, ...before, CLI, ...args], { FORCE_COLOR: "1" });
      const works = ended === `It ended with ${code}.` && prints.test(printed);
      results.push({ name: `the command line ${name}`, ...(!works && { error: `${ended} ${printed}` }) });
    }
    if (runtime.example) results.push(await runExample(command, runtime.example));
    for (const { name, error } of results) {
      if (error === undefined) row.passed += 1;
      else row.failures.push({ name, error });
    }
  } catch (error) {
    // What was fetched and does not run has failed; what could not be fetched was not tried.
    const { message } = error as Error;
    if (row.version === "" && !process.env.CI) row.skipped = message;
    else row.failures.push({ name: "the suite runs", error: message });
  }
  const { passed, failures, skipped } = row;
  for (const { name, error } of failures) {
    console.log(styleText("red", `${runtime.name}: ${name}: ${error}`));
  }
  const counts =
    skipped === undefined ? `${passed} passed, ${failures.length} failed` : `SKIPPED: ${skipped}`;
  console.log(`${runtime.name.padEnd(40)} ${row.version.padEnd(16)} ${counts}`);
  return row;
}

async function run(command: string[], args: string[], last?: string): Promise<Result[]> {
  const { out, printed, ended } = await start([...command, ...args, ...(last === undefined ? [] : [last])]);
  const results: Result[] = JSON.parse(/^RESULTS (.+)$/m.exec(out)?.[1] ?? "[]");
  if (results.length === 0 || ended !== "It ended with 0.") {
    throw new Error(`${ended}\n${printed.replaceAll(KEY, "KEY")}`);
  }
  // What the runtime itself makes of a client and of an error. Nothing printed would prove nothing.
  const showsErrors = results.some(({ name }) => name === "shows the key nowhere");
  const name = "prints the key nowhere";
  if (printed.includes(KEY)) results.push({ name, error: "It prints the key." });
  else if (showsErrors && !printed.includes("InvalidRequestError")) {
    results.push({ name, error: "It prints nothing." });
  } else results.push({ name });
  return results;
}

/** The command line mints one token, and one for each row of a file. */
async function runCommandLine(command: string[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const [name, args, lines] of [
    ["the command line mints a token", ["CLIENT_ID", ...MOBILE], 1],
    ["the command line mints a token for each row of a file", ["--batch", BATCH], 2],
  ] as const) {
    const { out, printed, ended } = await start([...command, CLI, "generate", ...args]);
    const minted = out.split("\n").filter((line) => line.includes("<CLIENT_TOKEN>")).length;
    const works = ended === "It ended with 0." && minted === lines;
    results.push(works ? { name } : { name, error: `${ended} ${printed.replaceAll(KEY, "KEY")}` });
  }
  return results;
}

/** The runtime serves an example, which mints for the user of a session, and for nobody else. */
async function runExample(command: string[], file: string): Promise<Result> {
  const name = `serves examples/${file}`;
  const child = launch([...command, `examples/${file}`], { PORT: "0" });
  let printed = "";
  let url: string | undefined;
  try {
    for await (const chunk of child.stdout) {
      printed += chunk;
      url = /http:\/\/\S+:\d+/.exec(printed)?.[0];
      if (url !== undefined) break;
    }
    const post = (path: string, headers = {}) => fetch(`${url}${path}`, { method: "POST", headers });
    const stranger = await post("/api/complycube-token");
    const signedIn = await post("/sign-in/ada");
    const [cookie = ""] = signedIn.headers.getSetCookie();
    const user = await post("/api/complycube-token", { cookie });
    const answers = `${stranger.status} ${user.status} ${await user.text()}`;
    return answers === '401 200 {"token":"<CLIENT_TOKEN>"}' ? { name } : { name, error: answers };
  } catch (error) {
    return { name, error: `${error} ${printed}` };
  } finally {
    child.kill("SIGKILL");
  }
}

/** Starts one command in the project. */
function launch([command = "", ...args]: string[], more: Record<string, string> = {}) {
  return spawn(command, args, {
    cwd: project,
    env: {
      PATH: process.env.PATH,
      HOME: project,
      COMPLYCUBE_API_KEY: KEY,
      COMPLYCUBE_BASE_URL: mock.url,
      ...more,
    },
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
}

/** Runs one command in the project until it ends. */
async function start(command: string[], more?: Record<string, string>) {
  const child = launch(command, more);
  const end = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code, signal) => resolve(`It ended with ${signal ?? code}.`));
  });
  const [out, err, ended] = await Promise.all([text(child.stdout), text(child.stderr), end]);
  return { out, printed: out + err, ended };
}
