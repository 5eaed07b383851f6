/** What the function returns, or `undefined` if it throws. */
export const attempt = <T>(run: () => T): T | undefined => {
  try {
    return run();
  } catch {
    return undefined;
  }
};

/** The URL, or `undefined` where there is none. */
export const parseUrl = (url: string | URL): URL | undefined => attempt(() => new URL(url));

/** Whether pages with this URL send a `Referer` at all. */
export const isWeb = ({ protocol }: URL) => /^https?:/.test(protocol);

/** What a pattern's path is compared with: path and query. An empty query keeps its question mark. */
export const target = ({ href }: URL) => href.replace(/^\w+:..[^/]*|#.*/g, "");
