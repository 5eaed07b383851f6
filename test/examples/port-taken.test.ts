import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { root } from "../../scripts/root.ts";
import { listen } from "../support/listen.ts";

test.each(["express", "fastify", "hono"])(
  "examples/%s.ts ends with an error on a port that is taken",
  async (name) => {
    const taken = await listen((_, response) => response.end());
    const { port } = new URL(taken.url);

    const { status, stdout, stderr } = spawnSync(process.execPath, [`examples/${name}.ts`], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, PORT: port, COMPLYCUBE_API_KEY: "test_EXAMPLE_KEY" },
      timeout: 50_000,
    });
    await taken.close();

    expect(stderr).toContain("EADDRINUSE");
    expect(stdout).not.toContain("Open");
    expect(status).toBe(1);
  },
);
