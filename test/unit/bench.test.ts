import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { median, type Results, throughputRatio } from "../../bench/results.ts";
import { root } from "../../scripts/root.ts";

test("the benchmark runs every rival and judges every target", { timeout: 120_000 }, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["bench/run.ts", "--quick", "--json"], {
    cwd: root,
    encoding: "utf8",
  });

  expect(status, stderr).toBe(0);
  const { rivals, roundTrips, server, coldStarts, sizes, targets } = JSON.parse(stdout) as Results;
  expect(rivals.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["fetch", "undici.request", "@complycube/api", "complycube-tokens"]),
  );
  const ours = roundTrips.filter(({ rival }) => rival === "complycube-tokens");
  expect(ours.map(({ outcome }) => outcome)).toEqual(ours.map(() => "minted"));
  const numbers = [
    ...rivals.flatMap(({ load, heapBytes }) => [
      heapBytes,
      ...Object.values(load).flat().flatMap(Object.values),
    ]),
    ...server.map(({ callsPerSecond }) => callsPerSecond),
    ...coldStarts.flatMap(({ ms }) => ms),
    ...sizes.map(({ gzippedBytes }) => gzippedBytes),
    ...targets.map(({ measured }) => Math.abs(measured)),
  ];
  expect(numbers.filter((number) => !(number > 0))).toEqual([]);
  expect(targets.length).toBeGreaterThanOrEqual(9);
});

test("a ratio compares what was measured in the same round", () => {
  const rival = (name: string, ...rates: number[]) => ({
    name,
    heapBytes: 0,
    load: {
      1: rates.map((callsPerSecond) => ({ callsPerSecond, p50Us: 0, p99Us: 0, cpuUs: 0, serverBusy: 0 })),
    },
  });
  // The machine had less to give in the second round.
  const [ours, theirs] = [rival("ours", 90, 9, 91), rival("theirs", 100, 10, 100)];

  const ratio = throughputRatio(ours, theirs, 1);

  expect(ratio).toBeCloseTo(0.9);
  expect(median([1, 2, 3, 10])).toBe(2.5);
});
