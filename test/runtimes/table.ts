import { readFileSync, writeFileSync } from "node:fs";
import { root } from "../../scripts/root.ts";

/** What came of one runtime. */
export interface Row {
  runtime: string;
  version: string;
  passed: number;
  failures: { name: string; error: string }[];
  /** Why it was not tried. */
  skipped?: string;
}

const file = `${root}docs/content/docs/guide/runtimes.md`;
const PLACE = /(<!-- runtimes -->\n).*?(<!-- \/runtimes -->)/s;

/** Puts the table, with today's date, into the guide. */
export function writeTable(rows: readonly Row[]): void {
  const today = new Date().toISOString().slice(0, 10);
  const lines = rows.map(({ runtime, version, passed, failures, skipped }) =>
    skipped ? `| ${runtime} | | SKIPPED | |` : `| ${runtime} | ${version} | ${passed} | ${failures.length} |`,
  );
  const table = [`| Runtime, ${today} | version | passed | failed |`, "|---|---|---|---|", ...lines];
  writeFileSync(
    file,
    readFileSync(file, "utf8").replace(PLACE, (_, start, end) => `${start}${table.join("\n")}\n${end}`),
  );
}

/** The runtimes that the guide's table names. */
export function tabledRuntimes(): string[] {
  const [table = ""] = PLACE.exec(readFileSync(file, "utf8")) ?? [];
  return [...table.matchAll(/^\| ([^|]+) \|/gm)].map(([, name = ""]) => name).slice(1);
}
