// Serves site/ until Ctrl-C: `npm run docs:serve`, or `npm run docs:serve -- 8081` for another port.
import { createServer } from "node:http";
import { root } from "./root.ts";
import { staticFiles } from "./static-files.ts";

const port = Number(process.argv[2] ?? 8080);

createServer(staticFiles(`${root}site`))
  .on("error", (error) => {
    console.error(
      `Cannot listen on port ${port}: ${error.message}. Give another one: npm run docs:serve -- 8081`,
    );
    process.exit(1);
  })
  .listen(port, "127.0.0.1", () =>
    console.log(`The site is at http://127.0.0.1:${port}. Stop it with Ctrl-C.`),
  );
