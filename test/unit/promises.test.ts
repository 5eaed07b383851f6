import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const ROOT = new URL("../../", import.meta.url);

/** The rows of the tables: what is promised, and each test as `file › title`. */
const rows = readFileSync(new URL("docs/content/docs/guide/security.md", ROOT), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| Promise"))
  .map((line) => ({
    promise: line.split(" | ")[0]?.slice(2) ?? "",
    tests: [...line.matchAll(/`(test\/[^`]+\.ts)` › “([^”]+)”/g)].map(([, file = "", title = ""]) => ({
      file,
      title,
    })),
  }));

test("the guide's page on security has rows", () => {
  expect(rows.length).toBeGreaterThan(20);
});

test.each(rows)("$promise", ({ tests }) => {
  expect(tests, "a row without a test").not.toEqual([]);
  for (const { file, title } of tests) {
    const path = new URL(file, ROOT);
    expect(existsSync(path), file).toBe(true);
    expect(titlesIn(readFileSync(path, "utf8")), file).toContain(title);
  }
});

/** Every string that is the title of a test, of a group, of a row of a table or of a scenario. */
function titlesIn(source: string): string[] {
  const strings = [
    ...source.matchAll(/(?:title: |test\(|describe\(|\)\(\s*|^\s*\[?)"((?:[^"\\\n]|\\.)+)"/gm),
  ];
  return strings.map(([, title = ""]) => title);
}
