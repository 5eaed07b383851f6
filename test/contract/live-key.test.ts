import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, inject, test } from "vitest";
import { root } from "../../scripts/root.ts";

/** Runs the workflows as `npm run contract:live` does, against the mock in place of the API. */
async function contractLive(args: string[], key: string): Promise<{ exitCode: number; output: string }> {
  const child = spawn(process.execPath, ["scripts/contract.ts", "--live", ...args], {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${root}node_modules/.bin:${process.env.PATH}`,
      COMPLYCUBE_API_KEY: key,
      COMPLYCUBE_BASE_URL: inject("prismUrl"),
      COMPLYCUBE_CLIENT_ID: "",
    },
  });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { exitCode, output: stdout + stderr };
}

test("contract:live runs every workflow with a test key", async () => {
  const { exitCode, output } = await contractLive(["CLIENT_ID"], "test_CONTRACT_KEY");

  expect(output).toContain("3 passed, 3 total");
  expect(exitCode).toBe(0);
});

test("contract:live refuses a live key, and sends nothing", async () => {
  const { exitCode, output } = await contractLive(["CLIENT_ID"], "live_CONTRACT_KEY");

  expect(output).toMatch(/^COMPLYCUBE_API_KEY is a live key\..*--allow-live-key/);
  expect(output).not.toContain("Workflows");
  expect(exitCode).toBe(2);
});

test("contract:live takes a live key from someone who insists", async () => {
  const { exitCode } = await contractLive(["CLIENT_ID", "--allow-live-key"], "live_CONTRACT_KEY");

  expect(exitCode).toBe(0);
});

test.each([
  ["a key", ["CLIENT_ID"], ""],
  ["a client", [], "test_CONTRACT_KEY"],
])("contract:live needs %s", async (_, args, key) => {
  const { exitCode, output } = await contractLive(args, key);

  expect(output).toContain("npm run contract:live -- CLIENT_ID");
  expect(exitCode).toBe(2);
});
