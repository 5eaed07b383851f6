import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** A test ends when what it waits for has come, however busy the machine is: only one that hangs meets these. */
const patience = { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 20_000 } } };

export default defineConfig({
  test: {
    // CI takes its closing counts from the runner's own report.
    reporters: process.env.CI ? ["default", "json"] : ["default"],
    outputFile: { json: ".reports/vitest.json" },
    maxWorkers: Math.max(2, availableParallelism() - 1), // Most tests wait, for a socket or a timer.
    projects: [
      // With the garbage collector at hand, so that what is left over can be told from what is not collected yet.
      { test: { ...patience, name: "unit", include: ["test/unit/**/*.test.ts"], execArgv: ["--expose-gc"] } },
      { test: { ...patience, name: "faults", include: ["test/faults/**/*.test.ts"], testTimeout: 120_000 } },
      {
        test: {
          ...patience,
          name: "contract",
          include: ["test/contract/**/*.test.ts"],
          globalSetup: "test/support/prism-for-tests.ts",
        },
      },
      {
        test: {
          ...patience,
          name: "examples",
          include: ["test/examples/**/*.test.ts"],
          globalSetup: "test/support/prism-for-tests.ts",
        },
      },
      {
        test: {
          name: "limits",
          include: ["test/limits/**/*.test.ts"],
          testTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 }, // In real time, so after the others, with the machine to itself.
          retry: 2, // A machine that stops for a moment lets a request arrive late, which is a 429. CI names what was retried.
        },
      },
      {
        test: {
          ...patience,
          name: "package",
          include: ["test/package/**/*.test.ts"],
          globalSetup: "test/support/packed-tarball.ts",
          testTimeout: 120_000,
          maxConcurrency: 2, // Each is a whole compiler.
        },
      },
      {
        test: {
          ...patience,
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
