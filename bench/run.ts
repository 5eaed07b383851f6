// Runs every rival, side by side, and prints one table. Usage: npm run bench -- [--quick] [--json] [--write]
import { readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { parseArgs } from "node:util";
import { root } from "../scripts/root.ts";
import { measureSize } from "../scripts/size.ts";
import { type Child, startChild } from "./children.ts";
import { measureColdStarts } from "./cold-start.ts";
import type { Load, Memory, Task } from "./driver.ts";
import { formatResults } from "./report.ts";
import { median, type Results, type RivalResult } from "./results.ts";
import { rivals } from "./rivals.ts";
import { countRoundTrips } from "./round-trips.ts";
import type { Busy } from "./server.ts";
import { judge } from "./targets.ts";

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    /** One short round, only to see that everything runs. */
    quick: { type: "boolean", default: false },
    /** Puts the table into README.md. */
    write: { type: "boolean", default: false },
  },
});
const plan = flags.quick
  ? {
      rounds: 1,
      windowMs: 30,
      warmUpMs: 30,
      heapWindows: 1,
      heapWarmUp: 10,
      heapCalls: 20,
      coldRounds: 1,
      rawMs: 100,
    }
  : {
      rounds: 21,
      windowMs: 350,
      warmUpMs: 1_500,
      heapWindows: 3,
      heapWarmUp: 2_000,
      heapCalls: 2_000,
      coldRounds: 25,
      rawMs: 1_500,
    };
/** A young generation that holds every object of the calls that are counted. */
const HEAP_FLAGS = ["--expose-gc", "--min-semi-space-size=512", "--max-semi-space-size=512"];
const IN_FLIGHT = [1, 32];
const note = (text: string) => console.error(text);

const loadBefore = os.loadavg()[0] ?? 0;
note("Round trips …");
const roundTrips = await countRoundTrips(flags.quick);
const server = await startChild<{ port: number }, object, Busy>("server.ts");
const url = `http://127.0.0.1:${server.first.port}`;

note("The server alone …");
const serverResults = await measureServer();
note(`${rivals.length} rivals, ${plan.rounds} rounds …`);
const rivalResults = await measureLoad();
note("The heap …");
for (const rival of rivalResults) rival.heapBytes = await measureHeap(rival.name);
note("Cold starts …");
const coldStarts = await measureColdStarts(url, plan.coldRounds);
server.stop();
const measured = {
  environment: describeEnvironment(),
  rounds: plan.rounds,
  roundTrips,
  server: serverResults,
  rivals: rivalResults,
  coldStarts,
  sizes: await measureSizes(),
};
const results: Results = { ...measured, targets: judge(measured) };
const text = formatResults(results);
console.log(flags.json ? JSON.stringify(results, null, 2) : text);
if (flags.write) {
  const readme = `${root}bench/README.md`;
  const fenced = /(?<=^```text\n).*?(?=^```$)/ms;
  writeFileSync(
    readme,
    readFileSync(readme, "utf8").replace(fenced, () => `${text}\n`),
  );
}

/** All stay alive for the whole run, and take turns: what else the machine does meets each of them alike. */
async function measureLoad(): Promise<RivalResult[]> {
  const drivers: { child: Child<Task, Load>; result: RivalResult }[] = [];
  for (const { name } of rivals) {
    const child = await startChild<string, Task, Load>("driver.ts", [name, url]);
    drivers.push({ child, result: { name, load: { 1: [], 32: [] }, heapBytes: Number.NaN } });
  }
  for (const inFlight of IN_FLIGHT) {
    for (const { child } of drivers) await child.ask({ measure: "load", inFlight, ms: plan.warmUpMs });
  }
  for (let round = 0; round < plan.rounds; round++) {
    for (const inFlight of IN_FLIGHT) {
      for (let turn = 0; turn < drivers.length; turn++) {
        const { child, result } = drivers[(turn + round) % drivers.length] as (typeof drivers)[number];
        await server.ask({});
        const load = await child.ask({ measure: "load", inFlight, ms: plan.windowMs });
        const { busy } = await server.ask({});
        result.load[inFlight]?.push({ ...load, serverBusy: busy });
      }
    }
  }
  for (const { child } of drivers) child.stop();
  return drivers.map(({ result }) => result);
}

async function measureHeap(name: string): Promise<number> {
  const child = await startChild<string, Task, Memory>("driver.ts", [name, url], HEAP_FLAGS);
  const windows: number[] = [];
  for (let each = 0; each < plan.heapWindows; each++) {
    windows.push(
      (await child.ask({ measure: "memory", warmUpCalls: plan.heapWarmUp, calls: plan.heapCalls })).heapBytes,
    );
  }
  child.stop();
  return median(windows);
}

async function measureServer(): Promise<Results["server"]> {
  const found: Results["server"] = [];
  for (const [connections, pipelined] of [
    [1, 1],
    [32, 1],
    [8, 16],
  ] as const) {
    await server.ask({});
    const args = [server.first.port, connections, pipelined, plan.rawMs].map(String);
    const { first } = await startChild<{ callsPerSecond: number }, never, never>("raw-socket.ts", args);
    const { busy } = await server.ask({});
    found.push({ connections, pipelined, ...first, busy });
  }
  return found;
}

async function measureSizes(): Promise<Results["sizes"]> {
  const dist = (file: string) => `export * from "${root}dist/${file}"`;
  return [
    await measureSize("openapi-fetch", 'export { default } from "openapi-fetch"'),
    await measureSize(
      "Hey API client",
      `export { createClient, generateToken } from "${root}dist/client.js"`,
    ),
    await measureSize("@complycube/api", 'export { ComplyCube } from "@complycube/api"', "node"),
    await measureSize("complycube-tokens", `export { ComplyCube } from "${root}dist/index.js"`),
    await measureSize("complycube-tokens/referrer", dist("referrer.js")),
  ];
}

function describeEnvironment(): Results["environment"] {
  const versionOf = (name: string): string =>
    (JSON.parse(readFileSync(`${root}node_modules/${name}/package.json`, "utf8")) as { version: string })
      .version;
  const packages = ["undici", "openapi-fetch", "@hey-api/openapi-ts", "@complycube/api", "axios"];
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: os.cpus()[0]?.model ?? "unknown processor",
    cores: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.type()} ${os.release()}`,
    loadBefore,
    node: process.version,
    versions: {
      "built-in undici": process.versions.undici ?? "unknown",
      ...Object.fromEntries(packages.map((name) => [name, versionOf(name)])),
    },
  };
}
