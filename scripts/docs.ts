// Builds the site: pages that work from a file and under a sub-path, and ask no other host for anything.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { buildApiReference } from "./docs-api.ts";
import { landingPage, llmsText, readmeParts } from "./docs-pages.ts";
import { buildReference } from "./docs-reference.ts";
import { root } from "./root.ts";

const site = `${root}site`;
rmSync(site, { recursive: true, force: true });
mkdirSync(`${site}/reference`, { recursive: true });

try {
  const readme = readmeParts();
  writeFileSync(`${site}/index.html`, landingPage(readme));
  writeFileSync(`${site}/llms.txt`, llmsText(readme));
  writeFileSync(`${site}/readme.md`, readme.text);
  copyFileSync(`${root}docs/site/favicon.svg`, `${site}/favicon.svg`);
  for (const file of ["openapi.yaml", "openapi.json"])
    copyFileSync(`${root}generated/openapi/${file}`, `${site}/${file}`);
  buildReference(`${site}/reference/index.html`);
  await buildApiReference(`${site}/api`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
console.log("The site is site/index.html. Open it as it is, or run `npm run docs:serve`.");
