import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../../scripts/root.ts";

// Sets up as a run of this suite does, and kills the Prism that it has started: its only child process.
const RUN = `
  import { readFileSync } from "node:fs";
  import setup from "./test/support/prism-for-tests.ts";
  await setup({ provide() {} });
  process.kill(Number(readFileSync(\`/proc/\${process.pid}/task/\${process.pid}/children\`, "utf8")), "SIGKILL");
  setInterval(() => {}, 1_000);
`;

const skipped = process.platform !== "linux";
if (skipped) console.warn("SKIPPED: the test of a Prism that dies, which finds it by Linux's /proc.");

test.skipIf(skipped)(
  "a Prism that dies ends the run at once, with its log",
  { timeout: 60_000 },
  async () => {
    const run = spawn(process.execPath, ["--input-type=module", "--eval", RUN], { cwd: root });
    onTestFinished(() => void run.kill());

    const [stderr, [exitCode]] = await Promise.all([text(run.stderr), once(run, "exit")]);

    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^Prism died while the tests ran\. Its log:\n.*listening on/s);
  },
);
