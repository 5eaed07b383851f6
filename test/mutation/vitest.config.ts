import { defineConfig } from "vitest/config";

/** The unit tests that need no build and start no process: what they do not notice, nothing quick notices. */
export default defineConfig({
  test: {
    include: ["test/unit/**/*.test.ts"],
    testNamePattern: /^(?!.*constant memory)/, // These want the garbage collector at hand.
    exclude: ["test/unit/{bench,built-parts,import,cli,cli-*,promises,runtimes}.test.ts"],
    env: { FC_SEED: "1" }, // So that two runs find the same.
  },
});
