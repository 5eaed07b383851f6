import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { releaseProblems } from "../../scripts/release-check.ts";
import { root } from "../../scripts/root.ts";

const manifest = { version: "1.2.0", repository: "github:owner/name" };
const changelog = "# Changelog\n\n## 1.2.0 (2026-11-22)\n\n- More.\n\n## 1.1.0 (2026-10-01)\n";

describe("releaseProblems", () => {
  test("finds none when the tag, the version, the changelog and the repository are there", () => {
    expect(releaseProblems("v1.2.0", manifest, changelog)).toEqual([]);
  });

  test.each([
    ["another tag", "v1.2.1", manifest, "The tag is v1.2.1, and package.json has the version 1.2.0."],
    ["no tag", "", manifest, "The tag is missing"],
    ["no repository", "v1.2.0", { version: "1.2.0" }, "package.json has no `repository`"],
    ["no section in the changelog", "v1.1", { ...manifest, version: "1.1" }, 'no section "## 1.1 (date)"'],
  ])("names %s", (_what, tag, of, problem) => {
    const problems = releaseProblems(tag, of, changelog);

    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  test("is asked before anything is published, and only a clone with its history is checked", () => {
    const release = readFileSync(join(root, ".github/workflows/release.yml"), "utf8");
    const ci = readFileSync(join(root, ".github/workflows/ci.yml"), "utf8");

    expect(release.indexOf("scripts/release-check.ts")).toBeGreaterThan(-1);
    expect(release.indexOf("scripts/release-check.ts")).toBeLessThan(release.indexOf("npm publish"));
    expect(ci).toContain("fetch-depth: 0");
  });
});
