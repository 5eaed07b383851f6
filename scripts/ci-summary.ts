// Names each test that failed, was skipped or needed a retry, and ends with the counts as one plain line; fails when a test
// failed or none ran. It reads the reports in `.reports` of the folder in which it is run.
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { JsonTestResults } from "vitest/node";
import type { Row } from "../test/runtimes/table.ts";

const counts = { passed: 0, failed: 0, skipped: 0 };

for (const name of ["vitest", "vitest-package"]) {
  const report = readReport<JsonTestResults>(name);
  if (report === undefined) continue;
  counts.passed += report.numPassedTests;
  for (const { name: path, status, message, assertionResults } of report.testResults) {
    const file = relative(process.cwd(), path);
    for (const { status, fullName, failureMessages } of assertionResults) {
      const test = `${file} › ${fullName.trim()}`;
      const [error] = failureMessages ?? [];
      if (status === "failed") fail(test, error);
      else if (status !== "passed") skip(test);
      else if (error !== undefined) say("RETRIED", test, error);
    }
    // As when the file cannot be imported, or a hook of a whole group throws.
    const isOutside = status === "failed" && assertionResults.every((test) => test.status !== "failed");
    if (isOutside) fail(file, message || "It failed outside of its tests.");
  }
  if (report.numPassedTests === 0) fail(name, "No test passed.");
}
const rows = readReport<Row[]>("runtimes") ?? [];
for (const { runtime, passed, failures, skipped } of rows) {
  counts.passed += passed;
  if (skipped !== undefined) skip(`test:runtimes › ${runtime}`, skipped);
  for (const { name, error } of failures) fail(`test:runtimes › ${runtime} › ${name}`, error);
}
if (counts.skipped > 0) console.log(`${counts.skipped} skipped`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
if (counts.failed > 0) process.exitCode = 1;

function readReport<Report>(name: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(`.reports/${name}.json`, "utf8"));
  } catch {
    fail(name, "There is no report: see above for what failed before it.");
    return undefined;
  }
}

function fail(what: string, error = ""): void {
  counts.failed++;
  say("FAILED", what, error);
}

function skip(what: string, why = ""): void {
  counts.skipped++;
  say("SKIPPED", what, why);
}

function say(outcome: string, what: string, why: string): void {
  const [line = ""] = stripVTControlCharacters(why).trim().split("\n");
  console.log(`${outcome} ${what}${line === "" ? "" : `: ${line}`}`);
}
