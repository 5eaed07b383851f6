/** The URL, or `undefined` where there is none. */
export const parseUrl = (url: string | URL): URL | undefined => {
  try {
    return new URL(url);
  } catch {
    return undefined;
  }
};

/** Whether pages with this URL send a `Referer` at all. */
export const isWeb = ({ protocol }: URL) => /^https?:/.test(protocol);

/** What a pattern's path is compared with: path and query. An empty query keeps its question mark. */
export const target = ({ href }: URL) => href.replace(/^\w+:..[^/]*|#.*/g, "");
