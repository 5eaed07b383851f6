// Prints the counts of the test runner and of the runtimes as one plain line; fails when a test failed or none ran.
import { readFileSync } from "node:fs";
import { root } from "./root.ts";

function readReport(name: string) {
  try {
    return JSON.parse(readFileSync(`${root}.reports/${name}.json`, "utf8"));
  } catch {
    console.error(`There is no report of ${name}: see above for what failed before it.`);
    process.exit(1);
  }
}

const runtimes: { passed: number; failed: number }[] = readReport("runtimes");
const vitest = ["vitest", "vitest-package"].map(readReport).map((report) => ({
  passed: report.numPassedTests,
  failed: report.numFailedTests,
  skipped: report.numPendingTests,
  success: report.success,
}));
const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
const skipped = sum(vitest.map((report) => report.skipped));
const passed = sum([...vitest, ...runtimes].map((report) => report.passed));
const failed = sum([...vitest, ...runtimes].map((report) => report.failed));
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failed} failed`);
const ran = runtimes.length > 0 && vitest.every((report) => report.success && report.passed > 0);
if (!ran || failed > 0) process.exitCode = 1;
