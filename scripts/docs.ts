// Builds the reference page: one file, site/index.html, that needs no network.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { redocly } from "./redocly.ts";
import { root } from "./root.ts";

const site = `${root}site`;
rmSync(site, { recursive: true, force: true });
mkdirSync(site);

const built = redocly(
  ["build-docs", "openapi/openapi.yaml", "-o", "site/index.html", "--inlineBundle"],
  "pipe",
);
if (built.status !== 0) {
  console.error(built.stdout + built.stderr);
  process.exit(1);
}

// Redoc's own logo is the one thing that it still loads from elsewhere: draw the name in its place.
const page = `${site}/index.html`;
const html = readFileSync(page, "utf8");
const logo = /https:\/\/cdn\.redoc\.ly\/redoc\/logo-mini(-full)?\.svg/g;
if (!logo.test(html))
  throw new Error("Redoc's logo has moved: see what site/index.html loads from other hosts.");
const drawn = encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" width="44" height="12"><text y="10" font-size="10" font-family="sans-serif" fill="#444">Redocly</text></svg>',
);
writeFileSync(page, html.replace(logo, `data:image/svg+xml,${drawn}`));

for (const file of ["openapi.yaml", "openapi.json"])
  copyFileSync(`${root}generated/openapi/${file}`, `${site}/${file}`);
console.log("The reference page is site/index.html. Open it as it is, or run `npm run docs:serve`.");
