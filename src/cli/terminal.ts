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
