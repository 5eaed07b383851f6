import { once } from "node:events";
import { type BigIntStats, fstatSync, ftruncateSync, writeSync } from "node:fs";
import { WriteStream } from "node:tty";
import { styleText } from "node:util";
import type { ComplyCubeApiError, TimeoutError } from "../index.ts";

export const DONE = 0;
export const FAILED = 1;
export const MISUSE = 2;
/** The exit code that shells use for a program that Ctrl-C ended. */
export const STOPPED = 130;

/** Writes a part of the result. */
export function out(text: string): void {
  process.stdout.write(text);
}

/** Writes errors, warnings and progress. */
export function err(text: string): void {
  process.stderr.write(text);
}

/**
 * Colours text where the stream is a terminal that shows colour, or `FORCE_COLOR` asks for it; `NO_COLOR` forbids it.
 * `styleText` looks at the stream by itself only since Node.js 22.8.
 */
export function paint(colour: "red" | "green" | "cyan", text: string, stream: NodeJS.WriteStream): string {
  const hasColour = ifReadable(() => {
    if (process.env.NO_COLOR) return false; // First, because Node.js prints a warning if both variables are set.
    const isAsked = stream.isTTY || process.env.FORCE_COLOR !== undefined;
    return isAsked && WriteStream.prototype.getColorDepth() > 2;
  }, false);
  return hasColour ? styleText(colour, text, { validateStream: false }) : text;
}

/** Returns what the environment says, or `otherwise` on Deno, where the permission to read it may be missing. */
function ifReadable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/**
 * Escapes text that came from elsewhere for a terminal: characters that would move the cursor, end the line or change the
 * direction of writing become JSON escapes. JSON keeps its value.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character
      .split("") // Two units for a character beyond U+FFFF.
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** Puts a message on one line that ends in a full stop. */
export function sentence(message: string): string {
  return printable(message.trim().replace(/\s+/g, " ")).replace(/[^.!?]$/, "$&.");
}

/** Says why a call failed, with the command line's names of settings. */
export function failureMessage(error: Error): string {
  if (error.name === "TimeoutError")
    return `No complete answer within ${(error as TimeoutError).timeoutMs} ms.`;
  return error.message.replaceAll("baseUrl", "COMPLYCUBE_BASE_URL");
}

/** One line: what failed, after how many attempts, and in which request. */
export function describeFailure(error: ComplyCubeApiError): string {
  const { name, attempts, requestId } = error;
  const details: string[] = [];
  if (attempts > 1) details.push(`${attempts} attempts`);
  if (requestId !== undefined) details.push(`request ID ${requestId}`);
  const said = failureMessage(error).replace(/\.\s*$/, "");
  const whole = details.length === 0 ? said : `${said} (${details.join(", ")})`;
  return `${paint("red", name, process.stderr)}: ${sentence(whole)}`;
}

/** Returns the file that stdout writes into, or `undefined` if it is no file. */
export function outputFile(): BigIntStats | undefined {
  const stats = fstatSync(process.stdout.fd, { bigint: true });
  return stats.isFile() ? stats : undefined;
}

/**
 * Writes a line of the result, whole or not at all: when a disk is full, the part of a line is removed from the file.
 *
 * @param signal ends the wait for a slow reader
 */
export async function outLine(text: string, signal: AbortSignal): Promise<void> {
  const bytes = Buffer.from(`${text}\n`);
  if (outputFile() === undefined) {
    if (!process.stdout.write(bytes)) await once(process.stdout, "drain", { signal }).catch(() => {});
    return;
  }
  const { fd } = process.stdout;
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(fd, bytes, written);
  } catch (error) {
    if (written > 0) ftruncateSync(fd, Number(fstatSync(fd).size) - written);
    process.stdout.destroy(error as Error);
  }
}

/** Shows the progress of a batch: a bar on a terminal, a plain line every ten seconds elsewhere. */
export interface Progress {
  /** Called for each row that has settled. */
  advance(failed: boolean): void;
  /** Writes a line that stays, above the bar. */
  note(text: string): void;
  stop(): void;
}

const PLAIN_LINE_EVERY_MS = 10_000;
const DRAW_AFTER_MS = 100;
const BAR_WIDTH = 20;
const CLEAR_LINE = "\r\u001b[2K";

/**
 * @param total how many rows there are; `undefined` where that is not known beforehand
 * @param isShared whether results are written to the same terminal, where they would break a bar into pieces
 */
export function startProgress(
  stream: NodeJS.WriteStream,
  total: number | undefined,
  isShared = false,
): Progress {
  const hasBar = stream.isTTY && !isShared && ifReadable(() => process.env.TERM !== "dumb", false);
  const startedAt = performance.now();
  let done = 0;
  let failed = 0;
  let saidAt = startedAt;
  let timer: NodeJS.Timeout | undefined;

  const status = () => {
    const seconds = (performance.now() - startedAt) / 1_000;
    const rate = seconds > 0 ? done / seconds : 0;
    const counted = total === undefined ? `${done} done` : `${done}/${total} done`;
    const left = total === undefined || rate === 0 ? "" : `, ${duration((total - done) / rate)} left`;
    return `${counted}, ${failed} failed, ${rate.toFixed(1)}/s${left}`;
  };
  const say = () => {
    if (performance.now() - saidAt < PLAIN_LINE_EVERY_MS) return;
    saidAt = performance.now();
    stream.write(`${status()}\n`);
  };
  const draw = () => {
    timer = undefined;
    const filled = total === undefined ? 0 : Math.floor((done / total) * BAR_WIDTH);
    const bar = "=".repeat(filled).padEnd(BAR_WIDTH, "-");
    const room = (stream.columns || 80) - 1; // A line that wraps cannot be cleared.
    const fits = total !== undefined && BAR_WIDTH + 1 + status().length <= room;
    stream.write(`${CLEAR_LINE}${fits ? `${paint("cyan", bar, stream)} ` : ""}${status().slice(0, room)}`);
  };
  const clear = () => {
    clearTimeout(timer);
    timer = undefined;
    stream.write(CLEAR_LINE);
  };

  let isDrawn = hasBar;
  if (isDrawn) draw();
  return {
    advance(hasFailed) {
      done++;
      if (hasFailed) failed++;
      if (isDrawn) timer ??= setTimeout(draw, DRAW_AFTER_MS);
      else say();
    },
    note(text) {
      if (isDrawn) clear();
      stream.write(`${printable(text)}\n`);
      if (isDrawn) draw();
    },
    stop() {
      if (isDrawn) clear();
      isDrawn = false;
    },
  };
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5_400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}
