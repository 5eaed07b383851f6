const REASONS: Record<string, string | undefined> = {
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
};

/** Says why a file cannot be read. */
export function cannotRead(what: string, code: string | undefined): TypeError {
  return new TypeError(`Cannot read ${what}: ${REASONS[code ?? ""] ?? code}.`);
}
