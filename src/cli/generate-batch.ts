import { once } from "node:events";
import { type BatchRequest, ComplyCube, type ComplyCubeApiError } from "../index.ts";
import { type LineSource, openLines } from "./json-lines.ts";
import { startProgress } from "./progress.ts";
import { DONE, FAILED, printable, STOPPED } from "./terminal.ts";

const TOKEN_LIFE_S = 3_600;
const STOP = new Error("Stopped.");

interface BatchFile {
  file: string;
  /** Whether only the lines that failed before are taken. */
  onlyFailed: boolean;
  /** Whether a pattern with a path is accepted. */
  allowReferrerPath: boolean;
}

/** Mints a token for each line of a file and writes a result line for each; returns the exit code. */
export async function generateBatch(
  apiKey: string,
  { file, onlyFailed, allowReferrerPath }: BatchFile,
): Promise<number> {
  const complycube = new ComplyCube({ apiKey, allowReferrerPath });
  const source = await openLines(file, onlyFailed);
  const total = source.isStream ? undefined : await count(source);
  const progress = startProgress(process.stderr, total, process.stdout.isTTY);
  const perLife = perSecondOf(apiKey) * TOKEN_LIFE_S;
  const stop = new AbortController();
  const interrupt = () => stop.abort(STOP);
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt); // Once: a second Ctrl-C ends it the hard way.
  process.stdout.once("error", interrupt); // Nobody reads what would be written.
  let minted = 0;
  let failed = 0;
  let read = 0;

  const write = async (result: object, hasFailed: boolean) => {
    if (hasFailed) failed++;
    else minted++;
    progress.advance(hasFailed);
    if (!process.stdout.write(`${printable(JSON.stringify(result))}\n`)) {
      await once(process.stdout, "drain", { signal: stop.signal }).catch(() => {});
    }
  };
  const numbers = new WeakMap<BatchRequest, number>();
  async function* rows(): AsyncGenerator<BatchRequest> {
    for await (const line of source.read()) {
      if (++read === perLife + 1 && total === undefined) progress.note(tooLong(read, perLife));
      if ("problem" in line) {
        const error = { name: "TypeError", message: line.problem };
        await write({ line: line.number, input: line.input, error }, true);
      } else {
        numbers.set(line.row, line.number);
        yield line.row;
      }
    }
  }

  if (total !== undefined && total > perLife) progress.note(tooLong(total, perLife));
  try {
    for await (const { request, token, error } of complycube.token.generateMany(rows(), {
      signal: stop.signal,
    })) {
      const line = numbers.get(request);
      if (token !== undefined) await write({ line, ...request, token }, false);
      else await write({ line, ...request, error: describe(error) }, true);
    }
  } catch (error) {
    if (error !== STOP) throw error;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    progress.stop();
  }
  const stopped = stop.signal.aborted;
  progress.note(
    `${stopped ? "Stopped: " : ""}${minted} minted, ${failed} failed${stopped ? "; a line without a result was not minted" : ""}.`,
  );
  // A pipe that is still open, named or not, would keep the process waiting for lines that nobody wants.
  if (stopped) process.stdout.write("", () => process.exit(process.exitCode ?? STOPPED));
  if (stopped) return STOPPED;
  return failed === 0 ? DONE : FAILED;
}

async function count(source: LineSource): Promise<number> {
  let total = 0;
  for await (const _ of source.read()) total++;
  return total;
}

/** How many tokens the key's limit allows in a second. */
function perSecondOf(key: string): number {
  if (key.startsWith("live_")) return 10;
  return key.startsWith("test_") ? 5 : Number.POSITIVE_INFINITY;
}

function tooLong(rows: number, perLife: number): string {
  return (
    `Warning: ${rows} tokens take over an hour (${perLife} an hour at the key's limit), and a token lives 60 minutes: ` +
    "the first ones expire before the last is minted. Mint them in parts, as they are needed."
  );
}

function describe(error: unknown): object {
  const { name, code, message, status, param, requestId } = error as ComplyCubeApiError;
  return { name, code, message, status, param, requestId };
}
