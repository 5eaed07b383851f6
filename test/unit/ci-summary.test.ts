import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../../scripts/root.ts";

const MIXED = `
import { describe, expect, test } from "vitest";
test("passes", () => {});
test("fails", () => {
  throw new Error("It is broken.\\nThe second line.");
});
describe("a group", () => {
  test.skip("is not run", () => {});
  let tries = 0;
  test("passes at last", { retry: 2 }, () => expect(++tries).toBe(2));
});
`;
const BROKEN = 'throw new Error("It cannot be imported.");';
const RUNTIMES = [
  { runtime: "Bun", version: "1", passed: 20, failures: [{ name: "mints", error: "No answer.\n  at x" }] },
  { runtime: "Deno", version: "", passed: 0, failures: [], skipped: "It could not be fetched." },
];

test("each test that failed, was skipped or needed a retry is named, and the last line has the counts", async () => {
  const folder = await runVitest({ "mixed.test.ts": MIXED, "broken.test.ts": BROKEN });
  writeFileSync(join(folder, ".reports/runtimes.json"), JSON.stringify(RUNTIMES));

  const { code, lines } = await summarize(folder);

  expect(lines.slice(0, -2).sort()).toEqual([
    "FAILED broken.test.ts: It cannot be imported.",
    "FAILED mixed.test.ts › fails: Error: It is broken.",
    "FAILED test:runtimes › Bun › mints: No answer.",
    "FAILED vitest-package: There is no report: see above for what failed before it.",
    expect.stringMatching(
      /^RETRIED mixed\.test\.ts › a group passes at last: AssertionError: expected 1 to be 2/,
    ),
    "SKIPPED mixed.test.ts › a group is not run",
    "SKIPPED test:runtimes › Deno: It could not be fetched.",
  ]);
  expect(lines.slice(-2)).toEqual(["2 skipped", "22 passed, 4 failed"]);
  expect(code).toBe(1);
});

test("where every test passed, the counts are the only line, and it exits with 0", async () => {
  const folder = await runVitest({
    "green.test.ts": 'import { test } from "vitest"; test("passes", () => {});',
  });
  const report = join(folder, ".reports/vitest.json");
  copyFileSync(report, join(folder, ".reports/vitest-package.json"));
  writeFileSync(join(folder, ".reports/runtimes.json"), JSON.stringify([{ ...RUNTIMES[0], failures: [] }]));

  const { code, lines } = await summarize(folder);

  expect(lines).toEqual(["22 passed, 0 failed"]);
  expect(code).toBe(0);
});

test("a run in which no test passed has failed", async () => {
  const folder = await runVitest({
    "skipped.test.ts": 'import { test } from "vitest"; test.skip("waits", () => {});',
  });

  const { code, lines } = await summarize(folder);

  expect(lines).toContain("FAILED vitest: No test passed.");
  expect(code).toBe(1);
});

/** Runs these files as CI runs the tests, in a folder of their own. */
async function runVitest(files: Record<string, string>): Promise<string> {
  mkdirSync(`${root}.reports`, { recursive: true });
  const folder = mkdtempSync(`${root}.reports/summary-`); // Inside the project, where `vitest` is found.
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const args = ["--root", folder, "--reporter", "json", "--outputFile", ".reports/vitest.json"];
  await runNode(folder, `${root}node_modules/vitest/vitest.mjs`, "run", ...args);
  return folder;
}

/** What CI's last step prints about the reports in a folder. */
async function summarize(folder: string): Promise<{ code: number; lines: string[] }> {
  const { code, stdout } = await runNode(folder, `${root}scripts/ci-summary.ts`);
  return { code, lines: stdout.trimEnd().split("\n") };
}

function runNode(cwd: string, ...args: string[]): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { cwd }, (_, stdout) =>
      resolve({ code: child.exitCode ?? 1, stdout }),
    );
  });
}
