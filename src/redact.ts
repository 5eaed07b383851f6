const MARK = "[redacted]";
const MAX_DEPTH = 8;
// A key by its prefix, whoever's it is, and a JSON Web Token by its shape, whole or cut off.
const SECRET_SHAPES = /\b(?:live|test)_[\w-]{8,}|\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}/g;

/** Blots out the key, and whatever has the shape of a key or a token. */
export function redactText(text: string, key: string): string {
  return (key === "" ? text : text.replaceAll(key, MARK)).replace(SECRET_SHAPES, MARK);
}

/** Copies parsed JSON without the key and without any token; deeper than 8 levels nothing is kept. */
export function redactJson(value: unknown, key: string, depth = 0): unknown {
  if (typeof value === "string") return redactText(value, key);
  if (typeof value !== "object" || value === null) return value;
  if (depth === MAX_DEPTH) return MARK;
  if (Array.isArray(value)) return value.map((item) => redactJson(item, key, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      redactText(name, key),
      name === "token" ? MARK : redactJson(item, key, depth + 1),
    ]),
  );
}

/**
 * Makes a cause safe to keep: it is copied down to name, message, code, stack and its own causes, because what a
 * transport throws may hold the request, and with it the key, where no search would find it.
 */
export function redactCause(cause: unknown, key: string, depth = 0): unknown {
  if (!(cause instanceof Error)) return typeof cause === "string" ? redactText(cause, key) : undefined;
  try {
    const { name, message, stack, code } = cause as Error & { code?: unknown };
    const copy: Error & { code?: unknown } = new Error(redactText(String(message), key));
    Object.defineProperty(copy, "name", { value: redactText(String(name), key) });
    copy.stack = redactText(String(stack), key);
    if (typeof code === "string") copy.code = redactText(code, key);
    const inner = cause instanceof AggregateError ? cause.errors[0] : cause.cause;
    if (inner !== undefined && depth < MAX_DEPTH) copy.cause = redactCause(inner, key, depth + 1);
    return copy;
  } catch {
    return undefined; // A getter of the cause threw.
  }
}
