// Fails when `generated/` is not what the spec gives, and says which command mends it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "./generate.ts";
import { root } from "./root.ts";

const fresh = mkdtempSync(join(tmpdir(), "generated-"));
try {
  await generate(fresh);
  const diff = spawnSync("git", ["diff", "--no-index", "--stat", "--", join(root, "generated"), fresh], {
    encoding: "utf8",
  });
  if (diff.status !== 0) {
    console.error(diff.stdout.replaceAll(fresh, "spec").replaceAll(root, ""), diff.stderr);
    console.error(
      "generated/ is not what openapi/openapi.yaml gives. Run `npm run generate` and commit what it writes.",
    );
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true });
}
