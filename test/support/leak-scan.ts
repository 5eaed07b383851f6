import { Console } from "node:console";
import { Writable } from "node:stream";
import { format, inspect } from "node:util";

/** The API key of the fault tests: the shape of a real one, with the characters of Base64. */
export const KEY = "live_c2VjcmV0L2tleSt3aXRoL2V2ZXJ5K2NoYXJhY3Rlcg==";

/** The token of the fault tests: the shape of a real one. */
export const TOKEN =
  "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjbGllbnQiOiJDTElFTlRfSUQiLCJzZWNyZXQiOiJwYXlsb2FkIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";

/** Prints a value in every way that ends up in a log. */
function printings(value: unknown): Record<string, string> {
  const everything = { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity };
  return {
    String: attempt(() => String(value)),
    message: attempt(() => String((value as Error)?.message)),
    stack: attempt(() => String((value as Error)?.stack)),
    "console.log": attempt(() => logged(value)),
    inspect: attempt(() => inspect(value, { ...everything, showHidden: true, getters: true })),
    "inspect without custom inspection": attempt(() =>
      inspect(value, { ...everything, customInspect: false }),
    ),
    "util.format %o": attempt(() => format("%o %O %s %j", value, value, value, value)),
    "JSON.stringify": attempt(() => JSON.stringify(value) ?? ""),
    structuredClone: attempt(() => inspect(structuredClone(value), { ...everything, showHidden: true })),
    "property walk": walk(value, new Set()),
  };
}

/** The ways of printing that show a secret or a large part of one, each as `how: what`. */
export function leaks(value: unknown, secrets: readonly string[]): string[] {
  const parts = secrets.flatMap(recognisableParts);
  return Object.entries(printings(value)).flatMap(([how, text]) =>
    parts.filter((part) => text.includes(part)).map((part) => `${how}: ${part}`),
  );
}

/** Both halves of a secret are searched for, so that a cut-off one is found too, and its usual encodings. */
function recognisableParts(secret: string): string[] {
  const body = secret.replace(/^(live|test)_/, "");
  const half = Math.max(6, Math.ceil(body.length / 2));
  const parts = [body, body.slice(0, half), body.slice(-half)];
  const encoded = parts.flatMap((part) => [
    part,
    JSON.stringify(part).slice(1, -1),
    encodeURIComponent(part),
  ]);
  return [...new Set([...encoded, Buffer.from(secret).toString("base64")])];
}

function logged(value: unknown): string {
  let text = "";
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const console = new Console({ stdout, inspectOptions: { depth: Infinity } });
  console.log(value);
  console.dir(value, { depth: Infinity, showHidden: true });
  return text;
}

/** Every own property of everything reachable, hidden ones and the prototypes' getters included. */
function walk(value: unknown, seen: Set<unknown>): string {
  if ((typeof value !== "object" && typeof value !== "function") || value === null)
    return `${String(value)}\n`;
  if (seen.has(value)) return "";
  seen.add(value);
  let text = "";
  for (
    let owner: object = value;
    owner !== null && owner !== Object.prototype;
    owner = Object.getPrototypeOf(owner)
  ) {
    if (owner === Function.prototype || owner === Array.prototype) break;
    for (const name of Reflect.ownKeys(owner)) {
      text += `${String(name)}: `;
      text += attempt(() => walk((value as Record<PropertyKey, unknown>)[name], seen));
    }
  }
  return text;
}

function attempt(print: () => string): string {
  try {
    return print();
  } catch (error) {
    return `cannot be printed: ${String(error)}`; // structuredClone of a function, for one.
  }
}
