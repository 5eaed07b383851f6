// Serves site/ until Ctrl-C: `npm run docs:serve`, or `npm run docs:serve -- 8081` for another port.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, normalize } from "node:path";
import { root } from "./root.ts";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".json": "application/json",
  ".yaml": "application/yaml",
};
const port = Number(process.argv[2] ?? 8080);

createServer(async (request, response) => {
  const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
  const file = path.endsWith("/") ? `${path}index.html` : path;
  try {
    const body = await readFile(`${root}site${file}`);
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(body);
  } catch {
    response.writeHead(404).end("Not found");
  }
})
  .on("error", (error) => {
    console.error(
      `Cannot listen on port ${port}: ${error.message}. Give another one: npm run docs:serve -- 8081`,
    );
    process.exit(1);
  })
  .listen(port, "127.0.0.1", () =>
    console.log(`The reference page is at http://127.0.0.1:${port}. Stop it with Ctrl-C.`),
  );
