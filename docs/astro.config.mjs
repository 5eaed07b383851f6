import { readFileSync } from "node:fs";
import starlight from "@astrojs/starlight";
import { defineConfig } from "astro/config";
import starlightTypeDoc, { typeDocSidebarGroup } from "starlight-typedoc";
import { endpointPage } from "./build/endpoint-page.mjs";
import { markdownSiblings } from "./build/markdown-siblings.mjs";
import { wholeReference } from "./build/whole-reference.mjs";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const repository = manifest.repository?.url?.replace(/^git\+|\.git$/g, "");

/** The sources of what can be imported, so that nothing that is exported stays out of the reference. */
const entryPoints = ["../src/index.ts", "../src/{handler,referrer,redis}/index.ts", "../src/!(index).ts"];

const pages = (...names) => names.map((name) => `guide/${name}`);

export default defineConfig({
  base: process.env.DOCS_BASE ?? "/",
  outDir: process.env.DOCS_OUT ?? "../site",
  srcDir: ".",
  trailingSlash: "always",
  integrations: [
    starlight({
      title: "complycube-tokens",
      description: manifest.description,
      favicon: "/favicon.svg",
      customCss: ["./styles/site.css"],
      routeMiddleware: "./route-data.ts",
      components: { Hero: "./components/Hero.astro" },
      credits: false,
      lastUpdated: false,
      ...(repository && {
        social: [{ icon: "github", label: "Source", href: repository }],
        editLink: { baseUrl: `${repository}/edit/main/docs/` },
      }),
      expressiveCode: {
        defaultProps: { wrap: true }, // On a phone, too, no code has to be scrolled sideways.
        styleOverrides: { borderRadius: "0.5rem", codeFontSize: "0.85rem" },
      },
      head: [{ tag: "script", attrs: { type: "module" }, content: readFileSync("build/mend.js", "utf8") }],
      plugins: [
        endpointPage(),
        starlightTypeDoc({
          entryPoints,
          tsconfig: "../tsconfig.json",
          output: "api",
          pagination: true,
          sidebar: { label: "API reference", collapsed: true },
          typeDoc: {
            name: "API reference",
            entryFileName: "index",
            plugin: [wholeReference],
            basePath: "..",
            skipErrorChecking: true, // `npm run typecheck` does that.
            disableSources: true, // A link to them needs a git remote, which not every checkout has.
            excludeExternals: true,
            groupReferencesByType: true,
            sort: ["static-first", "required-first", "source-order"],
            sortEntryPoints: false,
            useCodeBlocks: true,
            expandParameters: true,
            indexFormat: "table",
            parametersFormat: "table",
            interfacePropertiesFormat: "list",
            validation: { notDocumented: true, notExported: true, invalidLink: true },
            // What is used of each of the two, by its shape.
            intentionallyNotExported: ["src/redis/script.ts:Ioredis", "src/redis/script.ts:NodeRedis"],
            externalSymbolLinkMappings: {
              typescript: {
                Body: "https://developer.mozilla.org/docs/Web/API/Response#instance_methods",
                "JSON.stringify":
                  "https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/JSON/stringify",
              },
            },
          },
        }),
      ],
      sidebar: [
        {
          label: "Start",
          items: [...pages("quick-start", "web", "mobile", "handler", "referrer"), "checker"],
        },
        {
          label: "Guide",
          items: pages(
            "options",
            "errors",
            "retries",
            "connections",
            "limits",
            "proxy",
            "command-line",
            "testing",
            "security",
          ),
        },
        { label: "More", items: pages("moving", "runtimes", "changing-the-api") },

        { label: "Reference", items: ["endpoint", typeDocSidebarGroup] },
      ],
    }),
    markdownSiblings(),
  ],
});
