import { readFile } from "node:fs/promises";
import { cannotRead } from "./cannot-read.ts";

/**
 * Reads the API key from the file that was named, else from the environment. What was named outright wins over what
 * happens to be set. No message shows the key, nor the file's name, which may be a key in the wrong place.
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
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw cannotRead("the file of --api-key-file", (error as NodeJS.ErrnoException).code);
  }
  // Some editors put a mark at the start of a file, and most a line break at its end.
  const key = text.replace(/^\uFEFF/, "").replace(/[\r\n]+$/, "");
  if (key.trim() === "") throw new TypeError("The file of --api-key-file is empty.");
  if (/[\r\n]/.test(key)) {
    throw new TypeError("The file of --api-key-file has more than one line: it must hold the key alone.");
  }
  return key;
}

/**
 * Refuses a key that is given as an argument, and says where to put it instead.
 *
 * @throws TypeError for `--api-key` and the like
 */
export function refuseKeyArgument(args: readonly string[]): void {
  if (!args.some((arg) => /^--?(api[-_]?)?key(=|$)/i.test(arg))) return;
  throw new TypeError(
    "An API key is not taken from an argument, which stays in the shell's history and shows in the list of processes: " +
      "set COMPLYCUBE_API_KEY, or name a file that holds it with --api-key-file.",
  );
}
