import { findRival, median, type Results, throughputRatio, type Window } from "./results.ts";

/** Prints one run as text of fixed width. */
export function formatResults(results: Results): string {
  const { environment, rounds, server, targets } = results;
  const versions = Object.entries(environment.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${environment.date} · ${environment.cpu}, ${environment.cores} cores, ${environment.memoryGb} GB · ${environment.os}`,
    `Node.js ${environment.node} · ${versions.join(" · ")}`,
    `Medians over ${rounds} interleaved rounds. Load average before the run: ${environment.loadBefore.toFixed(1)}.`,
    "",
    formatRoundTrips(results.roundTrips),
    "",
    table(clientRows(results), GROUPS),
    "",
    `server: ${server
      .map(
        ({ connections, pipelined, callsPerSecond, busy }) =>
          `${whole(callsPerSecond)}/s to ${connections} plain socket${connections === 1 ? "" : "s"}` +
          `${pipelined > 1 ? ` with ${pipelined} pipelined` : ""} (${percent(busy)} busy)`,
      )
      .join(", ")}`,
    "",
    table([
      ["target", "wanted", "measured", ""],
      ...targets.map(({ what, wanted, measured, met }) => [
        what,
        wanted,
        measured.toFixed(2),
        met ? "met" : "MISSED",
      ]),
    ]),
  ].join("\n");
}

/** Prints what each client costs the server in each situation. */
export function formatRoundTrips(roundTrips: Results["roundTrips"]): string {
  return table(roundTripRows(roundTrips));
}

/** A cell: connections, full + resumed handshakes, requests. */
function roundTripRows(roundTrips: Results["roundTrips"]): string[][] {
  const names = [...new Set(roundTrips.map(({ rival }) => rival))];
  const situations = [...new Set(roundTrips.map(({ situation }) => situation))];
  const rows = situations.map((situation) => {
    const cells = names.map((name) => {
      const found = roundTrips.find((each) => each.situation === situation && each.rival === name);
      if (found?.counts === undefined) return "-";
      const { connections, fullHandshakes, resumedHandshakes, requests } = found.counts;
      const cost = `${connections} ${fullHandshakes}+${resumedHandshakes} ${requests}`;
      return found.outcome === "minted" ? cost : `${found.outcome} ${cost}`;
    });
    return [situation, ...cells];
  });
  return [["connections, full + resumed handshakes, requests", ...names], ...rows];
}

function clientRows(results: Results): string[][] {
  const fetch = findRival(results, "fetch");
  const head = ["", ...LOAD_HEAD, ...LOAD_HEAD, "kB/call", "import", "1st token", "kB"];
  const rows = results.rivals.map((rival) => {
    const cells = [1, 32].flatMap((inFlight) => {
      const windows = rival.load[inFlight] ?? [];
      const ratio = fetch === undefined ? Number.NaN : throughputRatio(rival, fetch, inFlight);
      return loadCells(windows, ratio);
    });
    return [rival.name, ...cells, (rival.heapBytes / 1_000).toFixed(1), ...startCells(results, rival.name)];
  });
  const others = results.coldStarts
    .map(({ name }) => name)
    .filter((name, index, all) => all.indexOf(name) === index && !findRival(results, name))
    .map((name) => [name, ...repeat("", 13), ...startCells(results, name)]);
  const parts = results.sizes
    .filter(({ name }) => !findRival(results, name))
    .map(({ name, gzippedBytes }) => [name, ...repeat("", 15), (gzippedBytes / 1_000).toFixed(2)]);
  return [head, ...rows, ...others, ...parts];
}

const GROUPS: [string, number][] = [
  ["", 1],
  ["1 in flight", 6],
  ["32 in flight", 6],
  ["heap", 1],
  ["cold start, ms", 2],
  ["min+gzip", 1],
];
const LOAD_HEAD = ["calls/s", "/fetch", "p50 µs", "p99 µs", "CPU µs", "server"];

function loadCells(windows: readonly Window[], ratio: number): string[] {
  const middle = (field: keyof Window) => median(windows.map((window) => window[field]));
  return [
    whole(middle("callsPerSecond")),
    ratio.toFixed(2),
    whole(middle("p50Us")),
    whole(middle("p99Us")),
    whole(middle("cpuUs")),
    percent(middle("serverBusy")),
  ];
}

function startCells({ coldStarts, sizes }: Results, name: string): string[] {
  const time = (kind: string) => {
    const ms = coldStarts.find((each) => each.kind === kind && each.name === name)?.ms;
    return ms === undefined ? "" : median(ms).toFixed(1);
  };
  const size = sizes.find((each) => each.name === name);
  return [time("import"), time("first token"), size ? (size.gzippedBytes / 1_000).toFixed(2) : ""];
}

/** Lines up columns: names to the left, numbers to the right. A group is a heading over several columns. */
function table(
  rows: readonly string[][],
  groups: readonly [heading: string, columns: number][] = [],
): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  let column = 0;
  const headings = groups.map(([heading, columns]) => {
    const covered = widths.slice(column, column + columns);
    column += columns;
    return heading.padEnd(covered.reduce((sum, width) => sum + width + 2, -2));
  });
  const lines = rows.map((row) =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))),
  );
  return [...(groups.length > 0 ? [headings] : []), ...lines]
    .map((cells) => cells.join("  ").trimEnd())
    .join("\n");
}

function repeat(text: string, times: number): string[] {
  return new Array<string>(times).fill(text);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
