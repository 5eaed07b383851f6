/** Returns what the function returns, or `undefined` where it throws. */
export function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {}
  return undefined;
}

/** Returns the URL, or `undefined` where the text is none. */
export function parseUrl(url: string | URL): URL | undefined {
  return attempt(() => new URL(url));
}

/** Whether this is the URL of a web page. */
export function isWeb(url: URL): boolean {
  return url.protocol === "https:" || url.protocol === "http:";
}

/** Returns path and query, with which a pattern's path is compared. An empty query keeps its question mark. */
export function pathAndQuery(url: URL): string {
  const copy = new URL(url);
  copy.username = "";
  copy.password = "";
  copy.hash = "";
  copy.pathname = copy.pathname.replaceAll("|", "%7C"); // As Chrome writes it; Node.js and other browsers do not.
  return copy.href.slice(copy.origin.length);
}
