// Rates what changed in the API's description since the last release, and refuses a version that says less.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redocly } from "./redocly.ts";
import { root } from "./root.ts";

const SPEC = "generated/openapi/openapi.yaml";

/** What a change asks of the next version, in the words of `redocly diff`. */
const IMPACTS = ["patch", "minor", "major"] as const;
type Impact = (typeof IMPACTS)[number] | "none";
type Version = [major: number, minor: number, patch: number];

/** What was found, and whether a release or a merge may go on. */
export interface Rating {
  ok: boolean;
  report: string;
}

/** Compares the description in a repository with that of the last `v*` tag before the commit that is checked out. */
export function rateSpecChange(repository: string): Rating {
  // In a container the clone may be another user's; reading it is safe all the same.
  const git = (...args: string[]) =>
    spawnSync("git", ["-c", "safe.directory=*", ...args], { cwd: repository, encoding: "utf8" });

  const shallow = git("rev-parse", "--is-shallow-repository");
  if (shallow.status !== 0) return skipped(`it takes git and a clone. ${shallow.error ?? shallow.stderr}`);
  if (shallow.stdout.trim() === "true") {
    return skipped(
      "the clone is shallow, so its last release is unknown. Run `git fetch --unshallow --tags`.",
    );
  }
  // A release's own commit is compared with the release before it. Pre-releases do not count.
  const tags = git("tag", "--list", "v*", "--merged", "HEAD", "--no-contains", "HEAD", "--sort=-v:refname");
  if (tags.status !== 0) return { ok: false, report: tags.stderr };
  const tag = tags.stdout.split("\n").find((name) => /^v\d+\.\d+\.\d+$/.test(name));
  if (tag === undefined) return { ok: true, report: "No release yet: there is no earlier tag v*." };

  const base = git("show", `${tag}:${SPEC}`);
  if (base.status !== 0) return { ok: false, report: base.stderr };
  const { impact, changes } = compare(base.stdout, join(repository, SPEC));
  const { version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
  const found = impact === "none" ? "nothing changed in the description" : `a ${impact} change`;
  const { ok, verdict } = judge(impact, tag, version);
  return { ok, report: `${changes}Since ${tag}: ${found}. ${verdict}` };
}

/** Whether a version says enough of what changed since the last one. */
function judge(impact: Impact, last: string, version: string): { ok: boolean; verdict: string } {
  const released = parseVersion(last);
  const next = parseVersion(version);
  const least = leastVersion(released, impact);
  if (order(next, least) >= 0) return { ok: true, verdict: `${version} is high enough.` };
  if (order(next, released) === 0) {
    // Between two releases the version is still the last one's.
    return { ok: true, verdict: `The next version must be ${least.join(".")} or higher.` };
  }
  return {
    ok: false,
    verdict: `${version} in package.json is too low; it must be ${least.join(".")} or higher.`,
  };
}

/** Where releases are made nothing is skipped: a check that did not run would look like one that passed. */
function skipped(reason: string): Rating {
  return process.env.GITHUB_ACTIONS
    ? { ok: false, report: `Not compared: ${reason} In a workflow, check out with \`fetch-depth: 0\`.` }
    : { ok: true, report: `SKIPPED: ${reason}` };
}

function compare(base: string, revision: string): { impact: Impact; changes: string } {
  const folder = mkdtempSync(join(tmpdir(), "spec-diff-"));
  try {
    const released = join(folder, "released.yaml");
    writeFileSync(released, base);
    const diff = (format: string) =>
      redocly(["diff", released, revision, `--format=${format}`, "--fail-on=none"], "pipe");
    const { status, stdout, stderr } = diff("json");
    if (status !== 0) throw new Error(`redocly diff failed: ${stderr}`);
    const found = JSON.parse(stdout) as { bump?: Impact; changes: object[] };
    if (found.changes.length === 0) return { impact: "none", changes: "" };
    if (!IMPACTS.some((impact) => impact === found.bump))
      throw new Error(`redocly diff rates this as ${found.bump}.`);
    return { impact: found.bump as Impact, changes: `${diff("stylish").stdout.trim()}\n` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The numbers; a pre-release counts as what it leads to. */
function parseVersion(text: string): Version {
  const [, ...numbers] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  if (numbers.length !== 3) throw new Error(`Not a version: ${text}`);
  return numbers.map(Number) as Version;
}

/** Below 1.0.0 a breaking change raises the minor version, and all else the patch version. */
function leastVersion([major, minor, patch]: Version, impact: Impact): Version {
  if (impact === "none") return [major, minor, patch];
  if (impact === "major" && major > 0) return [major + 1, 0, 0];
  if (impact === "major" || (impact === "minor" && major > 0)) return [major, minor + 1, 0];
  return [major, minor, patch + 1];
}

function order(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

if (import.meta.main) {
  const { ok, report } = rateSpecChange(root);
  console.log(report);
  if (!ok) process.exitCode = 1;
}
