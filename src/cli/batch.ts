import { perSecondOf } from "../core/limit/account-limit.ts";
import { type BatchRequest, ComplyCube, type ComplyCubeApiError } from "../index.ts";
import { describeRowMisuse } from "./arguments.ts";
import { openInput } from "./input.ts";
import { DONE, FAILED, failureMessage, outLine, printable, STOPPED, startProgress } from "./output.ts";
import { type Earlier, isOutput, type Row, readEarlier, readRows } from "./rows.ts";

const TOKEN_LIFE_S = 3_600;
const STOP = new Error("Stopped.");

interface Batch {
  /** The file of rows, or `-` for stdin. */
  file: string;
  /** The results of a batch that was stopped. */
  resume: string | undefined;
  /** Whether a pattern with a path is accepted. */
  allowReferrerPath: boolean;
}

/** Mints a token for each line of a file and writes a result line for each; returns the exit code. */
export async function generateBatch(
  apiKey: string,
  { file, resume, allowReferrerPath }: Batch,
): Promise<number> {
  const complycube = new ComplyCube({ apiKey, allowReferrerPath });
  const input = await openInput(file);
  const earlier = await readEarlier(input, resume);
  const total = input.isStream ? undefined : await count(readRows(input, earlier));
  const progress = startProgress(process.stderr, total, process.stdout.isTTY);
  const perLife = perSecondOf(apiKey) * TOKEN_LIFE_S;
  const stop = new AbortController();
  const interrupt = () => stop.abort(STOP);
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt); // A second Ctrl-C ends the process at once.
  process.stdout.once("error", interrupt); // Nobody reads what would be written.
  let minted = 0;
  let failed = 0;
  let read = 0;

  const write = async (line: string, hasFailed: boolean) => {
    if (hasFailed) failed++;
    else minted++;
    progress.advance(hasFailed);
    await outLine(line, stop.signal);
  };
  const rowOf = new WeakMap<BatchRequest, Row>();
  async function* requests(): AsyncGenerator<BatchRequest> {
    for await (const row of readRows(input, earlier)) {
      if (++read === perLife + 1 && total === undefined) progress.note(tooLong(read, perLife));
      if (row.request === undefined) await write(refusedLine(row), true);
      else {
        rowOf.set(row.request, row);
        yield row.request;
      }
    }
  }

  if (total !== undefined && total > perLife) progress.note(tooLong(total, perLife));
  if (earlier?.isCutOff && isOutput(earlier)) await outLine("", stop.signal);
  try {
    const results = complycube.token.generateMany(requests(), { signal: stop.signal });
    for await (const { request, token, error } of results) {
      const row = rowOf.get(request) as Row;
      if (token !== undefined) await write(resultLine(row, { token }), false);
      else await write(resultLine(row, { error: describe(error) }), true);
    }
  } catch (error) {
    if (error !== STOP) throw error;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    progress.stop();
  }
  const had = earlier?.minted.size ?? 0;
  const counts = `${minted} minted, ${failed} failed${had > 0 ? `, ${had} had a token already` : ""}`;
  if (!stop.signal.aborted) {
    progress.note(`${counts}.`);
    return failed === 0 ? DONE : FAILED;
  }
  progress.note(
    `Stopped: ${counts}; a line without a result was not minted. ${howToGoOn(file, resume, earlier)}`,
  );
  // An input pipe that is still open would keep the process alive.
  process.stdout.write("", () => process.exit(process.exitCode ?? STOPPED));
  return STOPPED;
}

/** Returns the row's own text between the fields that the batch adds. Only for a terminal are control characters escaped. */
function resultLine({ number, text }: Row, added: { token: string } | { error: object }): string {
  const inner = text.trim().slice(1, -1).trim();
  const shown = process.stdout.isTTY ? printable(inner.replace(/[\t\r]/g, " ")) : inner;
  return `{"line":${number},${shown}${inner === "" ? "" : ","}${printable(JSON.stringify(added)).slice(1)}`;
}

function refusedLine({ number, text, problem }: Row): string {
  const error = { name: "TypeError", message: problem };
  return printable(JSON.stringify({ line: number, input: text === "" ? undefined : text, error }));
}

async function count(rows: AsyncIterable<unknown>): Promise<number> {
  let total = 0;
  for await (const _ of rows) total++;
  return total;
}

function tooLong(rows: number, perLife: number): string {
  return (
    `Warning: ${rows} tokens take over an hour (${perLife} an hour at the key's limit), and a token lives 60 minutes: ` +
    "the first ones expire before the last is minted. Mint them in parts, as they are needed."
  );
}

/** Returns the command that mints the rest. The results' file is known only if it is that of --resume. */
function howToGoOn(file: string, resume: string | undefined, earlier: Earlier | undefined): string {
  const isKnown = resume !== undefined && earlier !== undefined && isOutput(earlier);
  const results = isKnown ? shellWord(resume) : "RESULTS.jsonl";
  const command = `complycube-tokens generate --batch ${shellWord(file)} --resume ${results} >> ${results}`;
  return `To go on: ${command}${isKnown ? "" : ", where RESULTS.jsonl holds all results so far."}`;
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function describe(error: unknown): object {
  const { name, code, status, param, requestId } = error as ComplyCubeApiError;
  const message = code === undefined ? describeRowMisuse(error as Error) : failureMessage(error as Error);
  return { name, code, message, status, param, requestId };
}
