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
