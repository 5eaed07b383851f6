import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { generate } from "../../scripts/generate.ts";
import { root } from "../../scripts/root.ts";

/** What is put in the place of a text that a file has once. */
export type Change = [from: string, to: string];

/** Makes a copy of `src/` as it is, beside what is generated from a changed copy of the spec. */
export async function projectWithChangedSpec(changes: Change[]) {
  const project = mkdtempSync(join(tmpdir(), "complycube-changed-spec-"));
  for (const folder of ["src", "openapi"]) cpSync(root + folder, join(project, folder), { recursive: true });
  for (const file of ["package.json", "tsconfig.json"]) cpSync(root + file, join(project, file));
  symlinkSync(`${root}node_modules`, join(project, "node_modules"));
  const api = {
    write(file: string, content: string): void {
      writeFileSync(join(project, file), content);
    },

    change(file: string, edits: Change[]): void {
      let text = readFileSync(join(project, file), "utf8");
      for (const [from, to] of edits) {
        expect(text.split(from), from).toHaveLength(2);
        text = text.replace(from, to);
      }
      api.write(file, text);
    },

    /** Runs a file, or a program of `node_modules`. */
    async run(args: string[], env: Record<string, string> = {}, input = "") {
      const child = spawn(process.execPath, args, { cwd: project, env: { PATH: process.env.PATH, ...env } });
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk) => {
          output += chunk;
        });
      child.stdin.end(input);
      const [exitCode] = await once(child, "close");
      return { exitCode: exitCode as number, output };
    },

    /** Compiles some files and all that they import; returns what the compiler says. */
    async compile(...include: string[]): Promise<string> {
      api.write("tsconfig.some.json", JSON.stringify({ extends: "./tsconfig.json", include }));
      const { output } = await api.run([
        "node_modules/typescript/bin/tsc",
        "--project",
        "tsconfig.some.json",
      ]);
      return output;
    },

    remove: () => rmSync(project, { recursive: true, force: true }),
  };
  api.change("openapi/openapi.yaml", changes);
  await generate(join(project, "generated"), join(project, "openapi/openapi.yaml"));
  return api;
}
