import { WriteStream } from "node:tty";
import { styleText } from "node:util";

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
