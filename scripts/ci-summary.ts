// Prints the counts of the test runner and of the runtimes as one plain line; fails when a test failed or none ran.
import { existsSync, readFileSync } from "node:fs";
import { root } from "./root.ts";

function readReport<Report>(name: string): Report {
  const file = `${root}.reports/${name}.json`;
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Report;
  console.error(`There is no report of ${name}: see above for what failed before it.`);
  process.exit(1);
}

const tests = readReport<{
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  success: boolean;
}>("vitest");
const runtimes = readReport<{ passed: number; failed: number }[]>("runtimes");
let passed = tests.numPassedTests;
let failed = tests.numFailedTests;
for (const runtime of runtimes) {
  passed += runtime.passed;
  failed += runtime.failed;
}
if (tests.numPendingTests > 0) console.log(`${tests.numPendingTests} skipped`);
console.log(`${passed} passed, ${failed} failed`);
if (!tests.success || failed > 0 || tests.numPassedTests === 0 || runtimes.length === 0) process.exitCode = 1;
