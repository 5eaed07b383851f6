import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { select, selectAll } from "hast-util-select";
import { toText } from "hast-util-to-text";
import rehypeParse from "rehype-parse";
import rehypeRemark from "rehype-remark";
import remarkGfm from "remark-gfm";
import remarkStringify from "remark-stringify";
import { unified } from "unified";

const parser = unified().use(rehypeParse);
const writer = unified()
  .use(rehypeRemark, { handlers: { figure, svg: picture, "starlight-tabs": tabs } })
  .use(remarkGfm)
  .use(remarkStringify, { bullet: "-", rule: "-" });

/** An Astro integration: writes each page as Markdown beside its HTML, and llms.txt, which leads to them. */
export function markdownSiblings() {
  let base = "/";
  return {
    name: "markdown-siblings",
    hooks: {
      "astro:config:done"({ config }) {
        base = config.base.endsWith("/") ? config.base : `${config.base}/`;
      },
      async "astro:build:done"({ dir }) {
        const site = fileURLToPath(dir);
        const pages = [];
        for (const file of globSync("**/index.html", { cwd: site }).sort()) {
          const page = parser.parse(readFileSync(join(site, file), "utf8"));
          const path = markdownPath(file);
          const title = toText(select("h1", page));
          const content = select("main .sl-markdown-content", page);
          tidy(content, (link) => siblingOf(link, { site, base, file }));
          const markdown = writer.stringify(await writer.run({ type: "root", children: content.children }));
          writeFileSync(join(site, path), `# ${title}\n\n${markdown.trim()}\n`);
          pages.push({ path, title, description: path.startsWith("api") ? opening(content) : summary(page) });
        }
        writeFileSync(join(site, "llms.txt"), llmsText(pages));
      },
    },
  };
}

const summary = (page) => select('meta[name="description"]', page)?.properties.content;

/** The first sentence of a page of the API reference, which has no summary of its own. */
function opening(content) {
  const [first] = content.children.filter(({ type }) => type === "element");
  return first?.tagName === "p" ? toText(first).split(/(?<=\.)\s/)[0] : undefined;
}

function markdownPath(file) {
  return file === "index.html" ? "index.md" : file.replace(/\/index\.html$/, ".md");
}

/** Takes out what is there for the eyes alone, and leads links to the Markdown of the pages. */
function tidy(content, link) {
  for (const parent of [content, ...selectAll("*", content)]) {
    parent.children = parent.children.filter(
      ({ tagName, properties }) =>
        !["script", "style", "button", "select"].includes(tagName) &&
        !properties?.className?.some((name) => ["sl-anchor-link", "copy", "sr-only"].includes(name)),
    );
    if (parent.properties.href !== undefined) parent.properties.href = link(parent.properties.href);
  }
}

function siblingOf(link, { site, base, file }) {
  const here = new URL(posix.join(base, posix.dirname(file), "/"), "http://site.invalid");
  const url = new URL(link, here);
  if (url.host !== here.host || !url.pathname.startsWith(base)) return link;
  const target = `${url.pathname.slice(base.length)}index.html`;
  const found = existsSync(join(site, target)) ? markdownPath(target) : url.pathname.slice(base.length);
  return posix.relative(posix.dirname(markdownPath(file)), found) + url.hash;
}

/** A block of code, as Expressive Code draws it. */
function figure(state, node) {
  const pre = select("pre[data-language]", node);
  if (pre === undefined) return state.all(node);
  const title = select(".title", node);
  const code = selectAll(".ec-line", pre).map((line) =>
    toText(line, { whitespace: "pre" }).replace(/\n$/, ""),
  );
  return {
    type: "code",
    lang: pre.properties.dataLanguage,
    meta: title ? `title="${toText(title)}"` : null,
    value: code.join("\n"),
  };
}

/** A picture says what its text says. */
function picture(_state, { properties }) {
  if (!properties.ariaLabel) return undefined;
  return {
    type: "paragraph",
    children: [{ type: "emphasis", children: [{ type: "text", value: `Picture: ${properties.ariaLabel}` }] }],
  };
}

/** Tabs become one part after another, each under its name. */
function tabs(state, node) {
  const names = selectAll('[role="tab"]', node).map((tab) => toText(tab).trim());
  return selectAll('[role="tabpanel"]', node).flatMap((panel, index) => [
    { type: "paragraph", children: [{ type: "strong", children: [{ type: "text", value: names[index] }] }] },
    ...state.toFlow(state.all(panel)),
  ]);
}

/** What a language model needs to know to use the package right, in the form of llmstxt.org. */
function llmsText(pages) {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const list = (under) =>
    pages
      .filter(({ path }) => under.test(path))
      .map(({ path, title, description = "Every module." }) => `- [${title}](${path}): ${description}`)
      .join("\n");
  const values = {
    install: /^```sh\n(.*?)^```/ms.exec(readme)[1].trim(),
    firstCall: /^```ts\n(.*?)^```/ms.exec(readme)[1].trim(),
    guide: list(/^(guide\/|checker\.md)/),
    reference: list(/^(endpoint\.md|api\.md|api\/[\w-]+\.md|api\/[\w-]+\/[\w-]+\.md)$/),
  };
  return readFileSync(new URL("llms.txt", import.meta.url), "utf8").replace(
    /\{\{(\w+)\}\}/g,
    (_, name) => values[name],
  );
}
