// Drives one rival, in a process of its own that lives as long as the run. Usage: fork driver.ts RIVAL SERVER_URL
import v8 from "node:v8";
import { TOKEN } from "./exchange.ts";
import { type Mint, rivals } from "./rivals.ts";

/** What a driver can be asked to do. */
export type Task =
  | { measure: "load"; inFlight: number; ms: number }
  | { measure: "memory"; warmUpCalls: number; calls: number };

/** What came of one stretch of calls. */
export interface Load {
  callsPerSecond: number;
  /** Latency that half of the calls stayed under, in microseconds. */
  p50Us: number;
  /** Latency that 99 in 100 calls stayed under, in microseconds. */
  p99Us: number;
  /** Processor time of the whole process for each call, in microseconds. */
  cpuUs: number;
}

/** What one call allocates. */
export interface Memory {
  /** On the JavaScript heap, in bytes. */
  heapBytes: number;
  /** How many calls it was counted over, without a garbage collection among them. */
  calls: number;
}

const [name, url = ""] = process.argv.slice(2);
const rival = rivals.find((each) => each.name === name);
if (rival === undefined) throw new Error(`There is no rival ${name}.`);
const mint = checked(await rival.load(url));
const latencies = new Float64Array(1_000_000);

process.on("message", async (task: Task) => {
  process.send?.(
    task.measure === "load" ? await load(task.inFlight, task.ms) : await memory(task.warmUpCalls, task.calls),
  );
});
process.on("disconnect", () => process.exit());
process.send?.("ready");

function checked(mintOne: Mint): Mint {
  return async () => {
    const token = await mintOne();
    if (token !== TOKEN) throw new Error(`${name} gave another token.`);
    return token;
  };
}

async function load(inFlight: number, ms: number): Promise<Load> {
  await calls(inFlight, inFlight * 10); // Sockets that were closed while others had their turn are opened again.
  let count = 0;
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const end = start + ms;
  const loop = async () => {
    for (let before = performance.now(); before < end; ) {
      await mint();
      const after = performance.now();
      latencies[count++] = after - before;
      before = after;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  const elapsedMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  const sorted = latencies.subarray(0, count).sort();
  const quantileUs = (q: number) =>
    (sorted[Math.min(count - 1, Math.floor(q * count))] ?? Number.NaN) * 1_000;
  return {
    callsPerSecond: (count / elapsedMs) * 1_000,
    p50Us: quantileUs(0.5),
    p99Us: quantileUs(0.99),
    cpuUs: (user + system) / count,
  };
}

/** Counts what stays on a heap whose young generation is too large to be collected meanwhile. */
async function memory(warmUpCalls: number, count: number): Promise<Memory> {
  const gc = globalThis.gc;
  if (gc === undefined) throw new Error("Counting allocations needs --expose-gc.");
  await calls(1, warmUpCalls);
  for (;;) {
    gc();
    const profiler = new v8.GCProfiler();
    profiler.start();
    const before = v8.getHeapStatistics().used_heap_size;
    await calls(1, count);
    const heapBytes = (v8.getHeapStatistics().used_heap_size - before) / count;
    if (profiler.stop()?.statistics.length === 0) return { heapBytes, calls: count };
    if (count < 10) throw new Error("The heap is collected before ten calls are counted.");
    count = Math.floor(count / 2);
  }
}

async function calls(inFlight: number, count: number): Promise<void> {
  let left = count;
  const loop = async () => {
    while (left-- > 0) await mint();
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
}
