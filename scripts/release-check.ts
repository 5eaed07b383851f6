// Says what is missing before a tag can become a release. Usage: node scripts/release-check.ts TAG
import { readFileSync } from "node:fs";
import { root } from "./root.ts";

/** What stands in the way of publishing a tag; nothing, when it may go on. */
export function releaseProblems(
  tag: string,
  { version, repository }: { version: string; repository?: unknown },
  changelog: string,
): string[] {
  return [
    tag !== `v${version}` && `The tag is ${tag || "missing"}, and package.json has the version ${version}.`,
    repository === undefined &&
      "package.json has no `repository`: npm refuses a provenance statement without one. Fill it in, with `homepage` and `bugs`.",
    !changelog.includes(`\n## ${version} `) && `CHANGELOG.md has no section "## ${version} (date)".`,
  ].filter((problem) => problem !== false);
}

if (import.meta.main) {
  const read = (file: string) => readFileSync(root + file, "utf8");
  const problems = releaseProblems(
    process.argv[2] ?? "",
    JSON.parse(read("package.json")),
    read("CHANGELOG.md"),
  );
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
