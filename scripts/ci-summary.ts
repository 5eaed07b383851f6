// Prints the test runner's own counts as one plain line, and fails when a test failed or none ran.
import { readFileSync } from "node:fs";
import { root } from "./root.ts";

const report = JSON.parse(readFileSync(`${root}.reports/vitest.json`, "utf8")) as {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  success: boolean;
};
const skipped = report.numPendingTests > 0 ? `, ${report.numPendingTests} skipped` : "";
console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed${skipped}`);
if (!report.success || report.numPassedTests === 0) process.exitCode = 1;
