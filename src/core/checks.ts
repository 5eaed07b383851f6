/** The longest delay of a timer; a timer with a longer one fires at once. */
const MAX_INT32 = 2 ** 31 - 1;

/** The fields of the error of a wrong argument, for a caller that words its own message, such as the command line. */
export interface Misuse {
  /** Which argument or option is wrong, such as `clientId`. */
  argument: string;
  /** What is wrong about it, as the message says it after the name. It shows no key and no token. */
  problem: string;
  /** What to do in code, in whole sentences. */
  advice: string | undefined;
}

/**
 * Makes the error of a wrong argument. Its message joins the fields of a {@link Misuse}, and the error has them as
 * well.
 */
export function misuse(
  argument: string,
  problem: string,
  advice?: string,
  kind: typeof TypeError | typeof RangeError = TypeError,
): Error & Misuse {
  const error = new kind(`${argument} ${problem}.${advice === undefined ? "" : ` ${advice}`}`);
  const parts: Misuse = { argument, problem, advice };
  // Not enumerable: a log would show each part twice, in the message and as a field.
  for (const [name, value] of Object.entries(parts)) Object.defineProperty(error, name, { value });
  return error as Error & Misuse;
}

/**
 * Returns the API key, or throws an error that says what is wrong and shows no part of the key. A live key that would go
 * to another host over plain `http`, where anyone on the way can read it, is wrong too.
 */
export function checkApiKey(
  apiKey: unknown,
  baseUrl: string,
  name = "apiKey",
  advice = "Pass { apiKey }.",
): string {
  if (apiKey === undefined || apiKey === null || (typeof apiKey === "string" && apiKey.trim() === "")) {
    throw misuse(name, "is missing", advice);
  }
  if (typeof apiKey !== "string") throw misuse(name, `must be a string, not ${kindOf(apiKey)}`);
  if (/^bearer\s/i.test(apiKey)) throw misuse(name, 'must be the bare key, without "Bearer" in front of it');
  if (/^["'`]|["'`]$/.test(apiKey)) {
    throw misuse(name, "is in quotes", "Remove the quotes: some tools that read an env file keep them.");
  }
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw misuse(name, "has a space, a line break or another character that no key has", "Copy it again.");
  }
  if (apiKey.startsWith("live_") && baseUrl.startsWith("http:") && !isLoopback(new URL(baseUrl).hostname)) {
    throw misuse(
      "apiKey",
      "is a live key, which is not sent over plain http to another host",
      "Use a test key, or https.",
    );
  }
  return apiKey;
}

/**
 * Returns the base URL without trailing slashes, or throws. Plain `http` is accepted for loopback hosts; for any other
 * host `allowPlainHttp` is called, and decides.
 */
export function checkBaseUrl(baseUrl: unknown, allowPlainHttp: () => boolean): string {
  if (typeof baseUrl !== "string") throw misuse("baseUrl", `must be a string, not ${kindOf(baseUrl)}`);
  if (!URL.canParse(baseUrl)) {
    throw misuse("baseUrl", "is not a URL", 'It looks like "https://gateway.example.com".');
  }
  const url = new URL(baseUrl);
  if (url.username !== "" || url.password !== "") {
    throw misuse("baseUrl", "must not hold a user name or password");
  }
  if (url.search !== "" || url.hash !== "") throw misuse("baseUrl", "must not have a query or a fragment");
  const isPlain = url.protocol === "http:";
  if (url.protocol !== "https:" && !(isPlain && (isLoopback(url.hostname) || allowPlainHttp()))) {
    throw misuse(
      "baseUrl",
      "must start with https://, because the API key is sent there",
      "http:// is for localhost only; for a mock elsewhere, set dangerouslyAllowPlainHttp or " +
        "COMPLYCUBE_DANGEROUSLY_ALLOW_PLAIN_HTTP=true.",
    );
  }
  return (url.origin + url.pathname).replace(/\/+$/, "");
}

/**
 * Returns a copy of the object's own fields, so that nothing on `Object.prototype` counts as an option. Throws where the
 * value is not an object, or has an unknown field: a misspelt option must not be ignored silently.
 */
export function checkFields<T>(name: string, value: T, known: readonly string[], advice?: string): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw misuse(name, `must be an object, not ${kindOf(value)}`, advice);
  }
  const unknown = Object.keys(value).find((field) => !known.includes(field));
  if (unknown !== undefined) {
    // The name is shown only where it looks like a field's: it may be a value in the wrong place, such as an API key.
    const what = /^(?!live_|test_)[A-Za-z]\w{0,30}$/.test(unknown)
      ? `has an unknown field "${unknown}"`
      : "has an unknown field";
    throw misuse(name, what, `Known: ${known.join(", ")}.`);
  }
  return Object.assign(Object.create(null), value);
}

/** Returns the kind of a value for an error message, which does not show the value. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Returns a whole number from `least` to the longest delay of a timer, or throws. Returns `undefined` as it is. */
export function checkInteger(name: string, value: unknown, least: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number") throw misuse(name, `must be a number, not ${kindOf(value)}`);
  if (!Number.isInteger(value) || value < least || value > MAX_INT32) {
    const problem = `must be a whole number from ${least} to ${MAX_INT32}, not ${value}`;
    throw misuse(name, problem, undefined, RangeError);
  }
  return value;
}

/** Returns a boolean, or throws. Returns `undefined` as it is. */
export function checkBoolean(name: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === "boolean") return value;
  throw misuse(name, `must be true or false, not ${kindOf(value)}`);
}

/** Returns a function, or throws. Returns `undefined` as it is. */
export function checkFunction<F>(name: string, value: F | undefined): F | undefined {
  if (value === undefined || typeof value === "function") return value;
  throw misuse(name, `must be a function, not ${kindOf(value)}`);
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
