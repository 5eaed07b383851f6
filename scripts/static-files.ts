import { readFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { extname, join } from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".yaml": "application/yaml",
  ".md": "text/markdown; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
};

/** Answers with the files of a folder, under a path that starts and ends with a slash. */
export function staticFiles(folder: string, under = "/"): RequestListener {
  return async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost"); // Which also takes out `..`.
    const file = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    try {
      if (!file.startsWith(under)) throw new Error("Not in this folder.");
      const body = await readFile(join(folder, file.slice(under.length)));
      response
        .writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" })
        .end(body);
    } catch {
      response.writeHead(404).end("Not found");
    }
  };
}
