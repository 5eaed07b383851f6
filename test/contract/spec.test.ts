import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { root } from "../../scripts/root.ts";

const read = (file: string) => readFileSync(root + file, "utf8");

describe("the spec", () => {
  test("scores 93 or more of 100 for use by an agent without help", () => {
    const { stdout, stderr } = spawnSync(
      `${root}node_modules/.bin/redocly`,
      ["score", "openapi/openapi.yaml", "--format=json"],
      { cwd: root, encoding: "utf8" },
    );

    expect(JSON.parse(stdout || stderr).agentReadiness).toBeGreaterThanOrEqual(93);
  });

  test("has the version of the package, and so have its workflows", () => {
    const { version } = JSON.parse(read("package.json"));

    for (const file of ["openapi/openapi.yaml", "openapi/tokens.arazzo.yaml"]) {
      expect(/^ {2}version: (\S+)/m.exec(read(file))?.[1]).toBe(version);
    }
  });
});
