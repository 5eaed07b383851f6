const MARK = "[redacted]";
const MAX_DEPTH = 8;
/** The longest text of an error, in characters; a longer one is cut. */
const MAX_TEXT = 1_000;
const MAX_STACK = 10_000;

const QUOTE = /\\*(?:["'`]|&(?:quot|apos|#0*3[49]|#x0*2[27]);)/.source;
const TOKEN_NAME = /token[\w-]{0,40}/.source; // Bounded, because a text of nothing but "token" would take minutes.
/** The shapes of secrets, whoever they belong to. A group holds the text in front of a secret, which is kept. */
const SECRET_SHAPES = [
  /(?<![A-Za-z])(?:live|test)_[\w+/=%\\&#;-]{8,}/g, // A key by its prefix.
  /eyJ[\w-]{8,}(?:\.[\w-]*){0,2}/g, // A JSON Web Token, whole or cut off.
  new RegExp(`(${TOKEN_NAME}(?:${QUOTE})?\\s*(?::|=>?)\\s*${QUOTE})[^"'\`\\\\&]+`, "gi"), // "token": "…"
  new RegExp(`(${TOKEN_NAME}\\s*[:=]\\s*)[^\\s"'\\\\,;&<>(){}[\\]]{16,}`, "gi"), // token=…
  new RegExp(`(<[\\w:.-]{0,40}${TOKEN_NAME}[^<>]{0,200}>)[^<]+`, "gi"), // <token>…
];

/** Replaces the key, however it is escaped, and everything that has the shape of a key or a token. */
function redactText(text: string, key: string): string {
  return SECRET_SHAPES.reduce(
    (rest, shape) =>
      rest.replace(shape, (_, kept: unknown) => (typeof kept === "string" ? kept + MARK : MARK)),
    key === "" ? text : blotOut(text, key),
  );
}

/** Redacts a text as `redactText` does, and cuts it, so that an error fits a line of a log whatever the API sent. */
export function redactShort(text: string, key: string, most = MAX_TEXT): string {
  const clean = redactText(text, key);
  return clean.length > most ? `${clean.slice(0, most)}…` : clean;
}

/** Copies parsed JSON without the key and without any token. Everything deeper than 8 levels is replaced. */
export function redactJson(value: unknown, key: string, depth = 0): unknown {
  if (typeof value === "string") return redactText(value, key);
  if (typeof value !== "object" || value === null) return value;
  if (depth === MAX_DEPTH) return MARK;
  if (Array.isArray(value)) return value.map((item) => redactJson(item, key, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      redactText(name, key),
      /token/i.test(name) ? MARK : redactJson(item, key, depth + 1),
    ]),
  );
}

/**
 * Returns a copy of a cause that is safe to keep: its name, message, code, stack and its own causes. The error of a
 * transport may hold the request, and with it the key, in places that no search would find.
 */
export function redactCause(cause: unknown, key: string, depth = 0): unknown {
  if (typeof cause === "string") return redactShort(cause, key);
  try {
    // Not `instanceof Error`: what Node.js throws inside a test runner's sandbox is another realm's Error.
    if (typeof (cause as Partial<Error>).message !== "string") return undefined;
    const { name, message, stack, code, errors } = cause as Error & { code?: unknown; errors?: unknown[] };
    const copy: Error & { code?: unknown } = new Error(redactShort(String(message), key));
    Object.defineProperty(copy, "name", { value: redactShort(String(name), key) });
    copy.stack = redactShort(String(stack), key, MAX_STACK);
    if (typeof code === "string") copy.code = redactShort(code, key);
    const { cause: inner = errors?.[0] } = cause as Error; // Of several addresses tried, the first.
    if (inner !== undefined && depth < MAX_DEPTH) copy.cause = redactCause(inner, key, depth + 1);
    return copy;
  } catch {} // There is no cause, or a getter of it threw.
  return undefined;
}

/** The ways in which HTML, URLs and JSON write one character. */
const ESCAPE = /(?:&#x0*|%|\\u00|\\x)([\da-f]{2});?|&#0*(\d{2,3});?|&([a-z]+);|\\([!-/:-@[-`{-~])/gi;
const NAMED: Record<string, string | undefined> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  sol: "/",
  plus: "+",
  equals: "=",
  lowbar: "_",
};
/** The ways in which they break a line between two characters. */
const BREAK = /\\[rnt]|\\?\s|<w?br ?\/?>/.source;

/** Replaces the key. Where it is found only in a text without its escapes or line breaks, that is what is returned. */
function blotOut(text: string, key: string): string {
  const characters = Array.from(key, (character) => character.replace(/\W/, "\\$&"));
  const pattern = new RegExp(characters.join(`(?:${BREAK})*`), "gi");
  let clean = text;
  // A line may also be broken within an escape, so the second time without line breaks.
  for (const breaks of [/(?!)/g, new RegExp(BREAK, "gi")]) {
    let reading = clean;
    // As it is; without escapes; and twice more, for what is escaped twice, such as `&amp;#x2F;`.
    for (let round = 0; round < 4; round++) {
      const blotted = reading.replace(pattern, MARK);
      if (blotted !== reading) clean = blotted;
      reading = blotted.replace(breaks, "").replace(ESCAPE, readEscape);
    }
  }
  return clean;
}

function readEscape(
  whole: string,
  hex?: string,
  decimal?: string,
  name?: string,
  punctuation?: string,
): string {
  if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
  if (punctuation !== undefined) return punctuation;
  return String.fromCharCode(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
}
