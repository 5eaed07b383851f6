// Prints the test runner's own counts as one plain line, and fails when a test failed or none ran.
import { existsSync, readFileSync } from "node:fs";
import { root } from "./root.ts";

const file = `${root}.reports/vitest.json`;
if (!existsSync(file)) {
  console.error("The tests did not run: see above for what failed before them.");
  process.exit(1);
}
const report = JSON.parse(readFileSync(file, "utf8")) as {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  success: boolean;
};
if (report.numPendingTests > 0) console.log(`${report.numPendingTests} skipped`);
console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed`);
if (!report.success || report.numPassedTests === 0) process.exitCode = 1;
