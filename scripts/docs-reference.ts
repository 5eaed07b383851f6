import { readFileSync, writeFileSync } from "node:fs";
import { redocly } from "./redocly.ts";
import { root } from "./root.ts";

/** Redoc gives way at its top to a bar with a link home, and long words of its headings fit a phone. */
const HEAD = `<link rel="icon" href="../favicon.svg">
<style>${readFileSync(`${root}docs/site/reference.css`, "utf8")}</style>
</head>`;
const BODY = `<body>
  <nav class="home" aria-label="Site"><a href="../index.html">complycube-tokens</a></nav>`;

/** Writes the reference page of the spec: one file, which needs no network. */
export function buildReference(page: string): void {
  const built = redocly(["build-docs", "openapi/openapi.yaml", "-o", page, "--inlineBundle"], "pipe");
  if (built.status !== 0) throw new Error(built.stdout + built.stderr);

  // Redoc's own logo is the one thing that it still loads from elsewhere: draw the name in its place.
  const html = readFileSync(page, "utf8");
  const logo = /https:\/\/cdn\.redoc\.ly\/redoc\/logo-mini(-full)?\.svg/g;
  if (!logo.test(html)) throw new Error("Redoc's logo has moved: see what its page loads from other hosts.");
  const drawn = encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" width="44" height="12"><style>text{fill:#444}@media(prefers-color-scheme:dark){text{fill:#ddd}}</style><text y="10" font-size="10" font-family="sans-serif">Redocly</text></svg>',
  );
  writeFileSync(
    page,
    html
      // Drawn beforehand, the links would lead to the server's root; once Redoc runs, it takes the part behind the #.
      .replace(/ href="(\/[^"]*)" data-discover="true"/g, ' href="#$1" data-discover="true"')
      .replace(logo, `data:image/svg+xml,${drawn}`)
      .replace("</head>", () => HEAD)
      .replace("<body>", () => BODY),
  );
}
