import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { root } from "../../scripts/root.ts";
import { rateSpecChange } from "../../scripts/spec-diff.ts";

const SPEC = "generated/openapi/openapi.yaml";
const today = readFileSync(join(root, SPEC), "utf8");

let folder: string;
let repository: string;

const git = (...args: string[]) =>
  execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@example.com", ...args], {
    cwd: repository,
    stdio: "pipe",
  });

/** Writes a version and a description of that version, and commits both. */
function commit(version: string, spec: string): void {
  writeFileSync(join(repository, "package.json"), JSON.stringify({ version }));
  writeFileSync(join(repository, SPEC), spec.replace(/^ {2}version: .*/m, `  version: ${version}`));
  git("add", ".");
  git("commit", "--allow-empty", "--message", version);
}

/** Replaces one place of the description, which must be there. */
function changed(from: string, to: string): string {
  expect(today.split(from)).toHaveLength(2);
  return today.replace(from, to);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "spec-diff-test-"));
  repository = join(folder, "repository");
  mkdirSync(join(repository, "generated/openapi"), { recursive: true });
  git("init", "--quiet");
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const requiredField = () =>
  changed(
    "        - clientId\n        - referrer\n      properties:\n",
    "        - clientId\n        - referrer\n        - note\n      properties:\n        note:\n          type: string\n",
  );
const optionalField = () =>
  changed(
    "        - clientId\n        - referrer\n      properties:\n",
    "        - clientId\n        - referrer\n      properties:\n        note:\n          type: string\n",
  );
const otherSummary = () => changed("summary: Generate a token", "summary: Mint a token");
const unchanged = () => today;

/** Releases the description as it is, then commits another with the next version. */
function release(released: string, next: string, spec: string): void {
  commit(released, today);
  git("tag", `v${released}`);
  commit(next, spec);
}

describe("rateSpecChange", () => {
  test.each([
    ["a new required field", requiredField, "0.1.0", "0.1.1", "0.2.0"],
    ["a new required field", requiredField, "1.4.2", "1.5.0", "2.0.0"],
    ["a new optional field", optionalField, "0.1.0", "0.1.1", "0.2.0"],
    ["a new optional field", optionalField, "1.4.2", "1.4.3", "1.5.0"],
    ["a new required field", requiredField, "0.9.0", "0.9.1", "0.10.0"],
    ["nothing", unchanged, "0.2.0", "0.1.1", "0.2.0"],
  ])("refuses %s with a step from $2 to $3", (_what, spec, released, next, least) => {
    release(released, next, spec());

    const { ok, report } = rateSpecChange(repository);

    expect(report).toContain(`${next} in package.json is too low; it must be ${least} or higher.`);
    expect(ok).toBe(false);
  });

  test.each([
    ["a new required field", requiredField, "0.1.0", "0.2.0"],
    ["a new required field", requiredField, "1.4.2", "2.0.0"],
    ["a new required field", requiredField, "0.9.0", "1.0.0-rc.1"],
    ["a new optional field", optionalField, "0.1.0", "0.2.0"],
    ["a new optional field", optionalField, "0.9.0", "0.10.0"],
    ["a new optional field", optionalField, "1.4.2", "1.5.0"],
    ["another summary", otherSummary, "1.4.2", "1.4.3"],
    ["nothing", unchanged, "0.1.0", "0.1.1"],
  ])("accepts %s with a step from $2 to $3", (_what, spec, released, next) => {
    release(released, next, spec());

    const { ok, report } = rateSpecChange(repository);

    expect(report).toContain(`${next} is high enough.`);
    expect(ok).toBe(true);
  });

  test("names what changed", () => {
    release("0.1.0", "0.2.0", requiredField());

    const { report } = rateSpecChange(repository);

    expect(report).toContain("Properties of `WebTokenRequest` became required: `note`.");
    expect(report).toContain("1 major, 1 minor");
    expect(report).toContain("Since v0.1.0: 0.2.0 is high enough.");
  });

  test("says what the next version must be while it is still the last one", () => {
    release("0.1.0", "0.1.0", requiredField());

    const { ok, report } = rateSpecChange(repository);

    expect(report).toContain("the next version must be 0.2.0 or higher.");
    expect(ok).toBe(true);
  });

  test("compares the commit of a release with the release before it", () => {
    release("0.1.0", "0.1.1", requiredField());
    git("tag", "v0.1.1");

    const { ok, report } = rateSpecChange(repository);

    expect(report).toContain("Since v0.1.0: 0.1.1 in package.json is too low");
    expect(ok).toBe(false);
  });

  test("compares with no pre-release", () => {
    release("0.1.0", "0.2.0-rc.1", requiredField());
    git("tag", "v0.2.0-rc.1");
    commit("0.2.0", requiredField());

    const { report } = rateSpecChange(repository);

    expect(report).toContain("Since v0.1.0: 0.2.0 is high enough.");
  });

  test("compares with the highest release, not with the one whose name sorts last", () => {
    commit("0.9.0", requiredField());
    git("tag", "v0.9.0");
    commit("0.10.0", today);
    git("tag", "v0.10.0");
    commit("0.10.1", today);

    const { ok, report } = rateSpecChange(repository);

    expect(report).toContain("Since v0.10.0: 0.10.1 is high enough.");
    expect(ok).toBe(true);
  });

  test("passes, and says why, while nothing was released", () => {
    commit("0.1.0", today);

    const { ok, report } = rateSpecChange(repository);

    expect(report).toBe("No release yet: there is no earlier tag v*.");
    expect(ok).toBe(true);
  });
});

describe("rateSpecChange without the history", () => {
  const cases: [string, () => void, string][] = [
    [
      "a shallow clone",
      () => {
        release("0.1.0", "0.1.1", requiredField());
        const full = repository;
        repository = join(folder, "shallow");
        execFileSync("git", ["clone", "--quiet", "--depth=1", `file://${full}`, repository]);
      },
      "Run `git fetch --unshallow --tags`.",
    ],
    [
      "a folder that is no clone",
      () => rmSync(join(repository, ".git"), { recursive: true }),
      "not a git repository",
    ],
    ["no git", () => vi.stubEnv("PATH", ""), "ENOENT"],
  ];

  test.each(cases)("fails in a workflow for %s, and says what to do", (_what, lose, advice) => {
    vi.stubEnv("GITHUB_ACTIONS", "true");
    lose();

    const { ok, report } = rateSpecChange(repository);

    expect(report).toContain(advice);
    expect(report).toContain("fetch-depth: 0");
    expect(ok).toBe(false);
  });

  test.each(cases)("says SKIPPED elsewhere for %s", (_what, lose, advice) => {
    vi.stubEnv("GITHUB_ACTIONS", undefined);
    lose();

    const { ok, report } = rateSpecChange(repository);

    expect(report).toMatch(/^SKIPPED: /);
    expect(report).toContain(advice);
    expect(ok).toBe(true);
  });
});
