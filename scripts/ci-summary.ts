// Prints the counts of the test runner and of the runtimes as one plain line; fails when a test failed or none ran.
import { existsSync, readFileSync } from "node:fs";
import { root } from "./root.ts";

function readReport<Report>(name: string): Report {
  const file = `${root}.reports/${name}.json`;
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Report;
  console.error(`There is no report of ${name}: see above for what failed before it.`);
  process.exit(1);
}

interface TestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  success: boolean;
}

const tests = [readReport<TestReport>("vitest"), readReport<TestReport>("vitest-package")];
const runtimes = readReport<{ passed: number; failed: number }[]>("runtimes");
const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
const skipped = sum(tests.map(({ numPendingTests }) => numPendingTests));
const passed = sum([
  ...tests.map(({ numPassedTests }) => numPassedTests),
  ...runtimes.map((each) => each.passed),
]);
const failed = sum([
  ...tests.map(({ numFailedTests }) => numFailedTests),
  ...runtimes.map((each) => each.failed),
]);
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failed} failed`);
const ran = runtimes.length > 0 && tests.every((report) => report.success && report.numPassedTests > 0);
if (!ran || failed > 0) process.exitCode = 1;
