import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { install } from "../support/packed-tarball.ts";

const folder = mkdtempSync(join(tmpdir(), "jest-"));
let project: string | undefined;

beforeAll(() => {
  project = install(folder, "jest", inject("tarball"));
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the tests of test/package/jest pass in jsdom", ({ skip }) => {
  if (project === undefined) return skip();
  const jest = join(project, "node_modules/jest/bin/jest.js");

  const { status, stderr } = spawnSync(process.execPath, [jest, "--env=jsdom", "--ci"], {
    cwd: project,
    env: { ...process.env, NODE_ENV: "test" },
    encoding: "utf8",
  });

  expect(stderr).toMatch(/^Tests: +\d+ passed, \d+ total$/m);
  expect(status, stderr).toBe(0);
});
