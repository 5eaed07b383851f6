import { createReadStream, type Stats } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { BatchRequest } from "../index.ts";
import { cannotRead } from "./cannot-read.ts";

/** One line of a batch: a row to mint, or what is wrong with it. */
export type Line = { number: number; row: BatchRequest } | { number: number; input: string; problem: string };

/** Where lines come from; they can be read more than once unless they come from stdin. */
export interface LineSource {
  /** Whether reading it once spoils it. */
  isStream: boolean;
  read(): AsyncGenerator<Line>;
}

/**
 * Opens a file of JSON Lines, or stdin for `-`.
 *
 * @throws TypeError when there is no such file, or it cannot be read
 */
export async function openLines(file: string, onlyFailed: boolean): Promise<LineSource> {
  if (file === "-") return { isStream: true, read: () => parseLines(process.stdin, onlyFailed) };
  let stats: Stats;
  try {
    // Not by opening it: whoever writes into a pipe would lose its reader when it is closed again.
    await access(file, constants.R_OK);
    stats = await stat(file);
  } catch (error) {
    throw cannotRead(JSON.stringify(file), (error as NodeJS.ErrnoException).code);
  }
  if (stats.isDirectory()) throw cannotRead(JSON.stringify(file), "EISDIR");
  return { isStream: !stats.isFile(), read: () => parseLines(createReadStream(file), onlyFailed) };
}

async function* parseLines(input: NodeJS.ReadableStream, onlyFailed: boolean): AsyncGenerator<Line> {
  let number = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    // Some editors put a mark at the start of a file.
    const line = parseLine(number === 1 ? text.replace(/^\uFEFF/, "") : text, number, onlyFailed);
    if (line !== undefined) yield line;
  }
}

function parseLine(text: string, number: number, onlyFailed: boolean): Line | undefined {
  if (text.trim() === "") return undefined;
  const fields = parseObject(text);
  if (fields === undefined) return { number, input: text, problem: "The line is not a JSON object." };
  // What an earlier batch has added is taken off again, so that a result line can be fed again.
  const { line: _line, token: _token, error, ...row } = fields;
  if (onlyFailed && error === undefined) return undefined;
  const { input, ...others } = row;
  if (error !== undefined && typeof input === "string" && Object.keys(others).length === 0) {
    return parseLine(input, number, false); // A line that was not JSON; a row may have a field `input` of its own.
  }
  return { number, row: row as unknown as BatchRequest };
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
