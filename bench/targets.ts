import type { ColdStart } from "./cold-start.ts";
import { findRival, median, type Results, type Target, throughputRatio } from "./results.ts";

const OURS = "complycube-tokens";
const OVER_FETCH = "complycube-tokens, fetch";

/** Each row: ours, the rival, the numbers in flight, and the least that ours over the rival's may be. */
const THROUGHPUT: [ours: string, rival: string, least: Record<number, number>][] = [
  [OURS, "@complycube/api", { 1: 1.4, 32: 1.8 }],
  [OURS, "undici.request", { 1: 0.85 }],
  [OVER_FETCH, "fetch, with a deadline", { 1: 0.96, 32: 0.96 }],
];

/** Holds the results against what the package promises; what could not be measured is left out. */
export function judge(results: Omit<Results, "targets">): Target[] {
  const targets: Target[] = [];
  for (const [ours, rival, least] of THROUGHPUT) {
    const [a, b] = [findRival(results, ours), findRival(results, rival)];
    if (a === undefined || b === undefined) continue;
    for (const [inFlight, wanted] of Object.entries(least)) {
      const measured = throughputRatio(a, b, Number(inFlight));
      targets.push({
        what: `throughput, ${inFlight} in flight: ${ours} / ${rival}`,
        wanted: `>= ${wanted.toFixed(2)}`,
        measured,
        met: measured >= wanted,
      });
    }
  }
  const { coldStarts } = results;
  const importMs = pairedMedian(coldStarts, "import", "empty module", (a, b) => a - b);
  const first = (rival: string) => pairedMedian(coldStarts, "first token", rival, (a, b) => a / b);
  const most = (what: string, limit: number, measured: number, wanted = `<= ${limit.toFixed(2)}`) =>
    targets.push({
      what,
      wanted,
      measured,
      met: wanted.startsWith("<=") ? measured <= limit : measured < limit,
    });
  most("import, ms over an empty module", 3, importMs);
  most("process start to first token: complycube-tokens / fetch", 0.7, first("fetch"));
  most(
    "process start to first token: complycube-tokens / @complycube/api",
    1,
    first("@complycube/api"),
    "< 1.00",
  );
  const kb = (name: string) =>
    (results.sizes.find((size) => size.name === name)?.gzippedBytes ?? Number.NaN) / 1_000;
  most("size of { ComplyCube }, kB min+gzip", 10.9, kb(OURS));
  most("size of ./referrer, kB min+gzip", 3.6, kb("complycube-tokens/referrer"));
  return targets;
}

function pairedMedian(
  coldStarts: readonly ColdStart[],
  kind: ColdStart["kind"],
  rival: string,
  compare: (ours: number, theirs: number) => number,
): number {
  const times = (name: string) =>
    coldStarts.find((each) => each.kind === kind && each.name === name)?.ms ?? [];
  const theirs = times(rival);
  return median(times(OURS).map((ms, round) => compare(ms, theirs[round] ?? Number.NaN)));
}
