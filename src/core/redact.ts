const MARK = "[redacted]";
const MAX_DEPTH = 8;
// A key by its prefix, whoever's it is, and a token by its field or by the shape of a JSON Web Token, whole or cut off.
const SECRET_SHAPES =
  /(?<![A-Za-z])(?:live|test)_[\w+/=%\\-]{8,}|(?<="token"\s*:\s*")[^"]+|eyJ[\w-]{8,}(?:\.[\w-]*){0,2}/g;

/** Blots out the key, and whatever has the shape of a key or a token. */
export function redactText(text: string, key: string): string {
  // As it is, as JSON writes it, as PHP's JSON does, and as a URL does.
  const spellings =
    key === ""
      ? []
      : [key, JSON.stringify(key).slice(1, -1), key.replaceAll("/", "\\/"), encodeURIComponent(key)];
  return spellings
    .reduce((rest, spelling) => rest.replaceAll(spelling, MARK), text)
    .replace(SECRET_SHAPES, MARK);
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
  if (typeof cause === "string") return redactText(cause, key);
  try {
    // Not `instanceof Error`: what Node.js throws inside a test runner's sandbox is another realm's Error.
    if (typeof (cause as Partial<Error>)?.message !== "string") return undefined;
    const { name, message, stack, code, errors } = cause as Error & { code?: unknown; errors?: unknown[] };
    const copy: Error & { code?: unknown } = new Error(redactText(String(message), key));
    Object.defineProperty(copy, "name", { value: redactText(String(name), key) });
    copy.stack = redactText(String(stack), key);
    if (typeof code === "string") copy.code = redactText(code, key);
    const { cause: inner = errors?.[0] } = cause as Error; // Of several addresses tried, the first.
    if (inner !== undefined && depth < MAX_DEPTH) copy.cause = redactCause(inner, key, depth + 1);
    return copy;
  } catch {
    return undefined; // A getter of the cause threw.
  }
}
