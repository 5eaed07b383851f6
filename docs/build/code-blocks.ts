// Writes each TypeScript block of the documents to a file of its own, for `npm run typecheck` to compile.
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { root } from "../../scripts/root.ts";

const folder = `${root}.reports/readme`;
// What an earlier block of the README, or the reader's own code, has defined.
const KNOWN = {
  complycube: 'declare const complycube: import("complycube-tokens").ComplyCube;',
  clientId: "declare const clientId: string;",
  handler: 'declare const handler: import("complycube-tokens/handler").TokenHandler;',
};

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const guide = globSync("docs/content/docs/guide/*.{md,mdx}", { cwd: root });
for (const document of ["README.md", ...guide]) {
  const blocks = [...readFileSync(root + document, "utf8").matchAll(/^```ts(?: [^\n]*)?\n(.*?)^```/gms)];
  if (blocks.length === 0 && !/security|command-line/.test(document)) {
    throw new Error(`${document} has no TypeScript block: has its fence changed?`);
  }
  for (const [index, [, code = ""]] of blocks.entries()) {
    const missing = Object.entries(KNOWN).filter(
      ([name]) => !new RegExp(`const (\\{ )?${name}\\b`).test(code),
    );
    writeFileSync(
      `${folder}/${document.replaceAll("/", "-")}-${index + 1}.ts`,
      [...missing.map(([, line]) => line), code, "export {};", ""].join("\n"),
    );
  }
}
