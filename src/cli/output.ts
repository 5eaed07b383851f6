import { once } from "node:events";
import { type BigIntStats, fstatSync, ftruncateSync, writeSync } from "node:fs";
import { WriteStream } from "node:tty";
import { styleText } from "node:util";
import type { ComplyCubeApiError, TimeoutError } from "../index.ts";

export const DONE = 0;
export const FAILED = 1;
export const MISUSE = 2;
/** What a shell reports of a program that Ctrl-C ended. */
export const STOPPED = 130;

/** Writes a part of the result. */
export function out(text: string): void {
  process.stdout.write(text);
}

/** Writes what is not the result: errors, warnings, progress. */
export function err(text: string): void {
  process.stderr.write(text);
}

/**
 * Colours text where the stream is a terminal that shows colour, or `FORCE_COLOR` asks for it; `NO_COLOR` forbids it.
 * `styleText` looks at the stream by itself only since Node.js 22.8.
 */
export function paint(colour: "red" | "green" | "cyan", text: string, stream: NodeJS.WriteStream): string {
  if (process.env.NO_COLOR) return text; // Else Node.js warns of the two together.
  const isAsked = stream.isTTY || process.env.FORCE_COLOR !== undefined;
  const hasColour = isAsked && WriteStream.prototype.getColorDepth() > 2;
  return hasColour ? styleText(colour, text, { validateStream: false }) : text;
}

/**
 * Makes text that came from elsewhere fit for a terminal: what would move the cursor, end the line or turn the
 * direction of writing is shown as its code, as JSON has it. What was JSON stays the same JSON.
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

/** Says why a call failed, with a setting under the name that it has here. */
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

/** What stdout is, where it is a file. */
export function outputFile(): BigIntStats | undefined {
  const stats = fstatSync(process.stdout.fd, { bigint: true });
  return stats.isFile() ? stats : undefined;
}

/**
 * Writes a line of the result, whole or not at all: what a full disk has cut off is taken back from a file.
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

/** Shows how far a batch is: a bar on a terminal of its own, a plain line now and then elsewhere. */
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
 * @param isShared whether results come out on the same terminal: they show the progress, and would tear a bar apart
 */
export function startProgress(
  stream: NodeJS.WriteStream,
  total: number | undefined,
  isShared = false,
): Progress {
  const hasBar = stream.isTTY && !isShared && process.env.TERM !== "dumb";
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
