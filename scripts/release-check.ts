// Says what is missing before a tag can become a release. Usage: node scripts/release-check.ts TAG
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.ts";

interface Manifest {
  version: string;
  repository?: unknown;
}

/** What stands in the way of publishing a tag; nothing, when it may go on. */
export function releaseProblems(tag: string, manifest: Manifest, changelog: string): string[] {
  const { version, repository } = manifest;
  const problems: string[] = [];
  if (tag !== `v${version}`) {
    problems.push(`The tag is ${tag || "missing"}, and package.json has the version ${version}.`);
  }
  if (repository === undefined) {
    problems.push(
      "package.json has no `repository`: npm refuses a provenance statement without one. Fill it in, with `homepage` and `bugs`.",
    );
  }
  if (!changelog.includes(`\n## ${version} `)) {
    problems.push(`CHANGELOG.md has no section "## ${version} (date)".`);
  }
  return problems;
}

if (import.meta.main) {
  const read = (file: string) => readFileSync(join(root, file), "utf8");
  const problems = releaseProblems(
    process.argv[2] ?? "",
    JSON.parse(read("package.json")),
    read("CHANGELOG.md"),
  );
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
