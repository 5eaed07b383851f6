import type { ColdStart } from "./cold-start.ts";
import type { Load } from "./driver.ts";
import type { RoundTrips } from "./round-trips.ts";

/** One rival's stretch of calls in one round, and how busy it kept the server. */
export interface Window extends Load {
  serverBusy: number;
}

/** Everything that one run found. */
export interface Results {
  environment: {
    date: string;
    cpu: string;
    cores: number;
    memoryGb: number;
    os: string;
    /** How many processes wanted a core, on average over a minute, before the run. */
    loadBefore: number;
    node: string;
    versions: Record<string, string>;
  };
  rounds: number;
  /** What each rival cost the server in each situation. */
  roundTrips: RoundTrips[];
  /** What plain sockets get out of the server, in answers a second. */
  server: { connections: number; pipelined: number; callsPerSecond: number; busy: number }[];
  rivals: RivalResult[];
  coldStarts: ColdStart[];
  sizes: { name: string; minifiedBytes: number; gzippedBytes: number }[];
  targets: Target[];
}

/** What one rival was measured at. `load` has one window a round, for each number in flight. */
export interface RivalResult {
  name: string;
  load: Record<number, Window[]>;
  heapBytes: number;
}

/** One promise, and what came of it. */
export interface Target {
  what: string;
  wanted: string;
  measured: number;
  met: boolean;
}

/** The number in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** The median over the rounds of one rival's throughput over another's: both had their turn within the same seconds. */
export function throughputRatio(a: RivalResult, b: RivalResult, inFlight: number): number {
  const rivalWindows = b.load[inFlight] ?? [];
  return median(
    (a.load[inFlight] ?? []).map(
      (window, round) => window.callsPerSecond / (rivalWindows[round]?.callsPerSecond ?? Number.NaN),
    ),
  );
}

/** The results of one rival, or `undefined` where it did not take part. */
export function findRival(results: Pick<Results, "rivals">, name: string): RivalResult | undefined {
  return results.rivals.find((rival) => rival.name === name);
}
