import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { answer, startFaultServer } from "../support/fault-server.ts";
import { TOKEN } from "../support/leak-scan.ts";
import { MINTED } from "./scenarios/scenario.ts";

const ONE_CALL = fileURLToPath(new URL("../support/one-call.ts", import.meta.url));

/** What a process looks like, and the `user-agent` by which the server knows what sent the request. */
const processes: [string, string, string][] = [
  ["Node.js's own https on Node.js", "", "complycube-tokens"],
  ["fetch on Node.js 22.0 to 22.2", "process.getBuiltinModule = undefined", "node"],
  ["fetch on Bun", "globalThis.Bun = {}", "node"],
  ["fetch on Deno", "globalThis.Deno = {}", "node"],
  ["fetch on an edge runtime", "globalThis.EdgeRuntime = 'edge-runtime'", "node"],
  ["fetch on Cloudflare Workers", "globalThis.WebSocketPair = class {}", "node"],
];

describe("the default transport", () => {
  test.each(processes)("is %s", async (_, before, userAgent) => {
    const server = await startFaultServer({ steps: [answer(200, MINTED)] });
    const preload = ["--import", `data:text/javascript,${encodeURIComponent(before)}`];

    const { stdout } = await promisify(execFile)(process.execPath, [
      ...preload,
      ONE_CALL,
      server.url,
      "token",
    ]);

    expect(stdout.trim()).toBe(`token ${TOKEN.length}`);
    expect(server.received.map(({ headers }) => headers["user-agent"])).toEqual([userAgent]);
  });
});
