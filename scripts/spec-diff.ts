// Shows what changed in the API's description since the last release, and refuses a version that is too low for it.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./root.ts";

const SPEC = "generated/openapi/openapi.yaml";

/** Compares the description in a repository with that of the last `v*` tag before the commit that is checked out. */
export function rateSpecChange(repository: string): { ok: boolean; report: string } {
  let last: { tag: string; spec: string } | undefined;
  try {
    last = lastRelease(repository);
  } catch (error) {
    // Where releases are made nothing is skipped: a check that did not run would look like one that passed.
    return process.env.GITHUB_ACTIONS
      ? { ok: false, report: `Not compared: ${error} In a workflow, check out with \`fetch-depth: 0\`.` }
      : { ok: true, report: `SKIPPED: ${error}` };
  }
  if (last === undefined) return { ok: true, report: "No release yet: there is no earlier tag v*." };

  const { changes, least } = compare(last.spec, join(repository, SPEC));
  const { version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
  const isEnough = isAtLeast(version, least);
  const isUnreleased = `v${version}` === last.tag; // Between two releases the version is still the last one's.
  let verdict = `${version} in package.json is too low; it must be ${least} or higher.`;
  if (isUnreleased) verdict = `the next version must be ${least} or higher.`;
  if (isEnough) verdict = `${version} is high enough.`;
  return { ok: isEnough || isUnreleased, report: `${changes}\nSince ${last.tag}: ${verdict}` };
}

function lastRelease(repository: string): { tag: string; spec: string } | undefined {
  // In a container the clone may be another user's; reading it is safe all the same.
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "safe.directory=*", ...args], {
      cwd: repository,
      encoding: "utf8",
      stdio: "pipe",
    });
  if (git("rev-parse", "--is-shallow-repository").trim() === "true") {
    throw new Error("The clone is shallow. Run `git fetch --unshallow --tags`.");
  }
  // A release's own commit is compared with the release before it. Pre-releases do not count.
  const tags = git("tag", "--list", "v*", "--merged", "HEAD", "--no-contains", "HEAD", "--sort=-v:refname");
  const tag = tags.split("\n").find((name) => /^v\d+\.\d+\.\d+$/.test(name));
  return tag === undefined ? undefined : { tag, spec: git("show", `${tag}:${SPEC}`) };
}

/** What changed, and the least version that says so; the description's own version is that of its release. */
function compare(base: string, revision: string): { changes: string; least: string } {
  const folder = mkdtempSync(join(tmpdir(), "spec-diff-"));
  const released = join(folder, "released.yaml");
  const diff = (format: string) =>
    execFileSync(
      `${root}node_modules/.bin/redocly`,
      ["diff", released, revision, `--format=${format}`, "--fail-on=none"],
      { cwd: root, encoding: "utf8", stdio: "pipe" },
    ).trim();
  try {
    writeFileSync(released, base);
    return { changes: diff("stylish"), least: diff("next-version") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Whether one version is another or a later one; a pre-release counts as what it leads to. */
function isAtLeast(version: string, least: string): boolean {
  const [release = ""] = version.split("-");
  return release.localeCompare(least, "en", { numeric: true }) >= 0;
}

if (import.meta.main) {
  const { ok, report } = rateSpecChange(root);
  console.log(report);
  if (!ok) process.exitCode = 1;
}
