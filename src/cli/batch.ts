import { createHash } from "node:crypto";
import { type BatchRequest, ComplyCube, type ComplyCubeApiError } from "../index.ts";
import { describeRowMisuse } from "./arguments.ts";
import { type Input, type Line, openInput } from "./input.ts";
import {
  DONE,
  FAILED,
  failureMessage,
  outLine,
  outputFile,
  printable,
  STOPPED,
  startProgress,
} from "./output.ts";

const TOKEN_LIFE_S = 3_600;
const STOP = new Error("Stopped.");
/** What a result adds to its row. */
const ADDED = ["line", "token", "error"];

interface Batch {
  /** The file of rows, or `-` for stdin. */
  file: string;
  /** The results of a batch that was stopped. */
  resume: string | undefined;
  /** Whether a pattern with a path is accepted. */
  allowReferrerPath: boolean;
}

/** A row that has no token yet: what is sent, or what is wrong with its line. */
interface Row extends Line {
  request?: BatchRequest;
}

/** What an earlier batch has done. */
interface Earlier extends Pick<Input, "name" | "stats"> {
  /** The rows that have a token, each by the number of its line. */
  minted: Map<number, string>;
  lastMinted: number;
  /** Whether the last line was cut off when it was written. */
  isCutOff: boolean;
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
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt); // Once: a second Ctrl-C ends it the hard way.
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
  // A pipe that is still open, named or not, would keep the process waiting for lines that nobody wants.
  process.stdout.write("", () => process.exit(process.exitCode ?? STOPPED));
  return STOPPED;
}

/**
 * Reads which rows have a token already.
 *
 * @throws TypeError when the files cannot be what they are said to be, or one of them is where the results go
 */
async function readEarlier(input: Input, file: string | undefined): Promise<Earlier | undefined> {
  if (isOutput(input)) {
    throw new TypeError(
      input.stats?.size === 0n
        ? `${input.name} is empty, and the results go there: ">" has emptied it. Restore it, and send the results to another file.`
        : `The results would go into ${input.name} itself: send them to another file.`,
    );
  }
  if (file === undefined) return undefined;
  const results = await openInput(file);
  const { name, stats } = results;
  if (stats !== undefined && isSame(stats, input.stats)) {
    throw new TypeError("--batch takes the rows, and --resume their results: they cannot be one file.");
  }
  if (isOutput(results) && stats?.size === 0n) {
    throw new TypeError(
      `${name} is empty, and the results go there: if ">" has emptied it, restore it, and append with ">>". To mint every row, leave --resume out.`,
    );
  }
  const minted = new Map<number, string>();
  let lastMinted = 0;
  let isCutOff = false;
  for await (const { number, text, isWhole } of results.lines()) {
    isCutOff = !isWhole;
    const fields = parseObject(text);
    if (fields === undefined) {
      // A line that was cut off, as by a full disk, is no result: its row is minted again.
      if (text.trim() === "" || text.startsWith(RESULT_START) || RESULT_START.startsWith(text)) continue;
      throw new TypeError(`${name} does not hold the results of a batch: see its line ${number}.`);
    }
    if (!isResult(fields)) {
      throw new TypeError(
        `${name} does not hold the results of a batch: see its line ${number}. The rows themselves belong to --batch.`,
      );
    }
    const { line, token, error: _, ...row } = fields;
    if (typeof token !== "string") continue;
    minted.set(line as number, digest(row));
    lastMinted = Math.max(lastMinted, line as number);
  }
  return { ...results, minted, lastMinted, isCutOff };
}

/**
 * Reads the rows that have no token yet.
 *
 * @throws TypeError when there is no row at all, or the rows are not those of the earlier results
 */
async function* readRows(input: Input, earlier: Earlier | undefined): AsyncGenerator<Row> {
  let last = 0;
  for await (const line of input.lines()) {
    if (line.problem === undefined && line.text.trim() === "") continue;
    const fields = line.problem === undefined ? parseObject(line.text) : undefined;
    if (last === 0 && fields !== undefined && isResult(fields)) {
      throw new TypeError(
        `${input.name} holds the results of a batch: give it to --resume, and the rows that it came from to --batch.`,
      );
    }
    last = line.number;
    const minted = earlier?.minted.get(line.number);
    if (minted === undefined) yield toRow(line, fields);
    else if (fields === undefined || digest(fields) !== minted) {
      throw new TypeError(
        `Line ${last} of ${input.name} is not the row that ${earlier?.name} has a token for: resume with the very rows of the batch.`,
      );
    }
  }
  if (last === 0) throw new TypeError(`${input.name} has no rows.`);
  const most = earlier?.lastMinted ?? 0;
  if (most > last) {
    throw new TypeError(
      `${input.name} ends at line ${last}, and ${earlier?.name} has a token for line ${most}: resume with the very rows of the batch.`,
    );
  }
}

function toRow(line: Line, fields: Record<string, unknown> | undefined): Row {
  if (line.problem !== undefined) return line;
  if (fields === undefined) return { ...line, problem: "The line is not a JSON object." };
  const taken = ADDED.find((name) => Object.hasOwn(fields, name));
  if (taken === undefined) return { ...line, request: fields as unknown as BatchRequest };
  return { ...line, problem: `The row has a field "${taken}", which its result adds: rename it.` };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {}
  return undefined;
}

const RESULT_START = '{"line":';

function isResult({ line, token, error }: Record<string, unknown>): boolean {
  return Number.isSafeInteger(line) && (typeof token === "string" || typeof error === "object");
}

/** Tells two rows apart in little memory. */
function digest(row: object): string {
  return createHash("sha256").update(JSON.stringify(row)).digest("base64").slice(0, 16);
}

function isOutput({ stats }: { stats: Input["stats"] }): boolean {
  const output = outputFile();
  return output !== undefined && isSame(output, stats);
}

function isSame(one: NonNullable<Input["stats"]>, other: Input["stats"]): boolean {
  return one.dev === other?.dev && one.ino === other.ino;
}

/** The row's own text, untouched, between what the batch adds; a terminal gets it without what it would obey. */
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

/** The command that mints what is left. What the shell has made of stdout is not known, unless it is the file of --resume. */
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
