import { type BigIntStats, createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";

/** A line of a file, without its line break: its number and text, and what is wrong with it, if anything is. */
export interface Line {
  number: number;
  text: string;
  problem?: string;
  /** Whether a line break follows: the last line of a file may be cut off. */
  isWhole: boolean;
}

/** A file of lines, or stdin. */
export interface Input {
  /** Its name in messages. */
  name: string;
  /** `undefined` for stdin. */
  stats: BigIntStats | undefined;
  /** Whether it can be read only once. */
  isStream: boolean;
  lines(maxBytes?: number): AsyncGenerator<Line>;
}

/** A longer line is refused, so that a file without line breaks does not fill the memory. */
export const MAX_LINE_BYTES = 2 ** 20;
const LINE_FEED = 10;
const UTF_8 = new TextDecoder("utf-8", { fatal: true }); // It removes a byte order mark too.

/**
 * Opens a file of lines, or stdin for `-`.
 *
 * @throws TypeError when there is no such file, or it is a directory
 */
export async function openInput(file: string): Promise<Input> {
  if (file === "-") {
    const lines = (maxBytes?: number) => linesOf(process.stdin, "stdin", maxBytes);
    return { name: "stdin", stats: undefined, isStream: true, lines };
  }
  const name = JSON.stringify(file);
  // `stat` does not open the file: the writer of a pipe would lose its reader when it is closed again.
  const stats = await stat(file, { bigint: true }).catch((error) => {
    throw cannotRead(name, error);
  });
  if (stats.isDirectory()) throw cannotRead(name, { code: "EISDIR" });
  const lines = (maxBytes?: number) => linesOf(chunksOf(file, name), name, maxBytes);
  return { name, stats, isStream: !stats.isFile(), lines };
}

/**
 * Reads the API key from the named file, otherwise from the environment. No message shows the key or the file's name,
 * which may be a key in the wrong place.
 *
 * @throws TypeError when there is none, or the file holds anything but one line
 */
export async function readApiKey(file: string | undefined): Promise<string> {
  if (file === undefined) {
    const key = process.env.COMPLYCUBE_API_KEY ?? "";
    if (key.trim() !== "") return key;
    throw new TypeError(
      "There is no API key: set COMPLYCUBE_API_KEY, or name a file that holds it with --api-key-file.",
    );
  }
  const name = "the file of --api-key-file";
  const bytes = await readFile(file).catch((error) => {
    throw cannotRead(name, error);
  });
  refuseUtf16(bytes, name);
  // Some editors write a byte order mark at the start of a file, and most a line break at its end.
  const key = bytes
    .toString()
    .replace(/^\uFEFF/, "")
    .replace(/[\r\n]+$/, "");
  if (key.trim() === "") throw new TypeError("The file of --api-key-file is empty.");
  if (/[\r\n]/.test(key)) {
    throw new TypeError("The file of --api-key-file has more than one line: it must hold the key alone.");
  }
  return key;
}

async function* chunksOf(file: string, name: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === "open" ? cannotRead(name, error) : error;
  }
}

/** Splits at line feeds alone: JSON allows other line breaks, such as U+2028, inside a string. */
async function* linesOf(
  chunks: AsyncIterable<Buffer>,
  name: string,
  maxBytes = MAX_LINE_BYTES,
): AsyncGenerator<Line> {
  let number = 1;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (isWhole: boolean): Line => {
    const bytes = Buffer.concat(parts);
    if (number === 1) refuseUtf16(bytes, name);
    const line = { number: number++, isWhole, ...decode(bytes, length > maxBytes) };
    parts = [];
    length = 0;
    return line;
  };

  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length; ) {
      const found = chunk.indexOf(LINE_FEED, start);
      const end = found < 0 ? chunk.length : found;
      length += end - start;
      if (length > maxBytes) parts = [];
      else parts.push(chunk.subarray(start, end));
      if (found >= 0) yield take(true);
      start = end + 1;
    }
  }
  if (length > 0) yield take(false);
}

function decode(bytes: Buffer, isTooLong: boolean): Pick<Line, "text" | "problem"> {
  if (isTooLong) return { text: "", problem: "The line is longer than 1 MiB." };
  let text: string;
  try {
    text = UTF_8.decode(bytes).replace(/\r$/, "");
  } catch {
    return { text: bytes.toString(), problem: "The line is not UTF-8: save the file as UTF-8." };
  }
  if (!text.includes("\0")) return { text };
  return { text, problem: "The line has NUL bytes: if the file is UTF-16, save it as UTF-8." };
}

/** Refuses UTF-16, which PowerShell 5 and some editors write. */
function refuseUtf16(bytes: Buffer, name: string): void {
  const mark = bytes.subarray(0, 2).toString("hex");
  if (mark !== "fffe" && mark !== "feff") return;
  throw new TypeError(`Cannot read ${name}: it is UTF-16. Save it as UTF-8.`);
}

const REASONS: Record<string, string | undefined> = {
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  ERR_ACCESS_DENIED: "Node.js has no permission; run it with --allow-fs-read",
  NotCapable: "Deno has no permission; run it with --allow-read",
};

/** Says why a file cannot be read. Deno's error for a missing permission has no code, and its message names the file. */
function cannotRead(what: string, error: unknown): TypeError {
  const { name, code = name } = error as NodeJS.ErrnoException;
  return new TypeError(`Cannot read ${what}: ${REASONS[code] ?? code}.`);
}
