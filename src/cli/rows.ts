import { createHash } from "node:crypto";
import type { BatchRequest } from "../index.ts";
import { type Input, type Line, MAX_LINE_BYTES, openInput } from "./input.ts";
import { outputFile } from "./output.ts";

/** What a result adds to its row. */
const ADDED = ["line", "token", "error"];

/** A row that has no token yet: its request, or the problem of its line. */
export interface Row extends Line {
  request?: BatchRequest;
}

/** What an earlier batch has done. */
export interface Earlier extends Pick<Input, "name" | "stats"> {
  /** The rows that have a token, each by the number of its line. */
  minted: Map<number, string>;
  lastMinted: number;
  /** Whether the last line was cut off when it was written. */
  isCutOff: boolean;
}

/**
 * Reads which rows have a token already.
 *
 * @throws TypeError when a file does not hold rows or results, or the new results would go into the wrong one
 */
export async function readEarlier(input: Input, file: string | undefined): Promise<Earlier | undefined> {
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
  for await (const { number, text, isWhole } of results.lines(2 * MAX_LINE_BYTES)) {
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
export async function* readRows(input: Input, earlier: Earlier | undefined): AsyncGenerator<Row> {
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

/** Returns a short text that differs from row to row, which takes less memory than the row. */
function digest(row: object): string {
  return createHash("sha256").update(JSON.stringify(row)).digest("base64").slice(0, 16);
}

/** Whether stdout writes into this file. */
export function isOutput({ stats }: { stats: Input["stats"] }): boolean {
  const output = outputFile();
  return output !== undefined && isSame(output, stats);
}

function isSame(one: NonNullable<Input["stats"]>, other: Input["stats"]): boolean {
  return one.dev === other?.dev && one.ino === other.ino;
}
