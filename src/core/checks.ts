/** The longest delay that a timer takes; a longer one would fire at once. */
const MAX_INT32 = 2 ** 31 - 1;

/** Checks an API key; the message says what is wrong and never shows any of it. */
export function checkApiKey(apiKey: unknown, name = "apiKey", hint = "pass { apiKey }"): string {
  if (apiKey === undefined || apiKey === null || (typeof apiKey === "string" && apiKey.trim() === "")) {
    throw new TypeError(`${name} is missing: ${hint}.`);
  }
  if (typeof apiKey !== "string") throw new TypeError(`${name} must be a string, not ${kindOf(apiKey)}.`);
  if (/^bearer\s/i.test(apiKey))
    throw new TypeError(`${name} must be the bare key, without "Bearer" in front of it.`);
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new TypeError(
      `${name} has a space, a line break or another character that no key has. Copy it again.`,
    );
  }
  return apiKey;
}

/**
 * Checks a base URL and takes its trailing slashes off. Plain `http` is for loopback hosts, and with
 * `allowPlainHttp` for any.
 */
export function checkBaseUrl(baseUrl: unknown, allowPlainHttp = false): string {
  if (typeof baseUrl !== "string") throw new TypeError(`baseUrl must be a string, not ${kindOf(baseUrl)}.`);
  if (!URL.canParse(baseUrl))
    throw new TypeError('baseUrl is not a URL. It looks like "https://gateway.example.com".');
  const url = new URL(baseUrl);
  if (url.username !== "" || url.password !== "")
    throw new TypeError("baseUrl must not hold a user name or password.");
  if (url.search !== "" || url.hash !== "")
    throw new TypeError("baseUrl must not have a query or a fragment.");
  if (
    url.protocol !== "https:" &&
    !(url.protocol === "http:" && (allowPlainHttp || isLoopback(url.hostname)))
  ) {
    throw new TypeError(
      "baseUrl must start with https://, because the API key is sent there. http:// is for localhost only; " +
        "for a mock elsewhere, set dangerouslyAllowPlainHttp or COMPLYCUBE_DANGEROUSLY_ALLOW_PLAIN_HTTP=true.",
    );
  }
  return (url.origin + url.pathname).replace(/\/+$/, "");
}

/** Refuses to send a live key where anyone on the way can read it, whatever was allowed. */
export function refuseLiveKeyOverPlainHttp(apiKey: string, baseUrl: string): void {
  if (!apiKey.startsWith("live_") || !baseUrl.startsWith("http:") || isLoopback(new URL(baseUrl).hostname))
    return;
  throw new TypeError(
    "apiKey is a live key, which is not sent over plain http to another host. Use a test key, or https.",
  );
}

/** Says which fields of an object are not known, so that a misspelt one is not silently ignored. */
export function checkFields(name: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${name} must be an object, not ${kindOf(value)}.`);
  }
  const unknown = Object.keys(value).find((field) => !known.includes(field));
  if (unknown !== undefined) {
    // Named only where it looks like a field: it may be a value in the wrong place, such as an API key.
    const what = /^(?!live_|test_)[A-Za-z]\w{0,30}$/.test(unknown)
      ? `an unknown field "${unknown}"`
      : "an unknown field";
    throw new TypeError(`${name} has ${what}. Known: ${known.join(", ")}.`);
  }
}

/** Names a value's kind for an error message, without showing the value. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Checks a whole number from `least` to what a timer can hold; `undefined` passes. */
export function checkInteger(name: string, value: unknown, least: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number") throw new TypeError(`${name} must be a number, not ${kindOf(value)}.`);
  if (!Number.isInteger(value) || value < least || value > MAX_INT32) {
    throw new RangeError(`${name} must be a whole number from ${least} to ${MAX_INT32}, not ${value}.`);
  }
  return value;
}

/** Checks a flag; `undefined` passes. */
export function checkBoolean(name: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === "boolean") return value;
  throw new TypeError(`${name} must be true or false, not ${kindOf(value)}.`);
}

/** Checks a function; `undefined` passes. */
export function checkFunction<F>(name: string, value: F | undefined): F | undefined {
  if (value === undefined || typeof value === "function") return value;
  throw new TypeError(`${name} must be a function, not ${kindOf(value)}.`);
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
