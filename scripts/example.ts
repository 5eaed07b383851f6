// Runs one example against the mock until Ctrl-C: `npm run example express`, or fastify, or hono.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { startMock } from "./mock.ts";
import { root } from "./root.ts";

const NAMES = ["express", "fastify", "hono"];
const name = process.argv[2] ?? "";
if (!NAMES.includes(name)) {
  console.error(`Say which example: npm run example ${NAMES.join(" | ")}`);
  process.exit(2);
}

const mock = await startMock();
const example = spawn(process.execPath, [`examples/${name}.ts`], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, COMPLYCUBE_BASE_URL: mock.url, COMPLYCUBE_API_KEY: "test_EXAMPLE_KEY" },
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => example.kill(signal));
await once(example, "exit");
await mock.stop();
