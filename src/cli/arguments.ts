/**
 * Refuses an option that is given twice: the last one would win over what the first one says.
 *
 * @param tokens what `parseArgs` found, in its order
 */
export function refuseRepeats(tokens: readonly { kind: string; name?: string }[]): void {
  const given = tokens.flatMap(({ kind, name }) => (kind === "option" && name !== undefined ? [name] : []));
  const twice = given.find((name, index) => given.indexOf(name) < index);
  if (twice !== undefined) throw new TypeError(`--${twice} is given twice.`);
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
