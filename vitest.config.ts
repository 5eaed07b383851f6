import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // CI takes its closing counts from the runner's own report.
    reporters: process.env.CI ? ["default", "json"] : ["default"],
    outputFile: { json: ".reports/vitest.json" },
    maxWorkers: Math.max(2, availableParallelism() - 1), // Most tests wait, for a socket or a timer.
    projects: [
      // With the garbage collector at hand, so that what is left over can be told from what is not collected yet.
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], execArgv: ["--expose-gc"] } },
      { test: { name: "faults", include: ["test/faults/**/*.test.ts"], testTimeout: 120_000 } },
      {
        test: {
          name: "contract",
          include: ["test/contract/**/*.test.ts"],
          testTimeout: 60_000, // Some start a whole program, and a busy machine takes its time.
          globalSetup: "test/support/prism-for-tests.ts",
        },
      },
      {
        test: {
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
        },
      },
      {
        test: {
          name: "package",
          include: ["test/package/**/*.test.ts"],
          globalSetup: "test/support/packed-tarball.ts",
          testTimeout: 120_000,
          maxConcurrency: 2, // Each is a whole compiler.
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
