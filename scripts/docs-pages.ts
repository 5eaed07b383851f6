import { readFileSync } from "node:fs";
import { root } from "./root.ts";

/** The parts of the README that the site repeats, so that the two cannot differ. */
export interface ReadmeParts {
  /** The first paragraph, in Markdown. */
  promise: string;
  /** The first shell block: the command that installs the package. */
  install: string;
  /** The first TypeScript block: the first call. */
  firstCall: string;
  /** What stands under a heading of the second level. */
  section(heading: string): string;
  /** All of it. The files beside the README are not on the site, so links to them are plain text. */
  text: string;
}

/** Takes the README apart; throws when a part is no longer there. */
export function readmeParts(): ReadmeParts {
  const text = readFileSync(`${root}README.md`, "utf8").replace(/\[([^\]]+)\]\((?!https?:)[^)]+\)/g, "$1");
  const present = (what: string, found: string | undefined) => {
    if (found === undefined) throw new Error(`The README no longer has ${what}, which the site repeats.`);
    return found.trim();
  };
  const sections = text.split(/^## /m);
  return {
    promise: present("a first paragraph", /^# .+\n+(\w.+(?:\n.+)*)/.exec(text)?.[1]).replaceAll("\n", " "),
    install: present("a shell block", /^```sh\n(.*?)^```/ms.exec(text)?.[1]),
    firstCall: present("a TypeScript block", /^```ts\n(.*?)^```/ms.exec(text)?.[1]),
    section: (heading) =>
      present(
        `the section "${heading}"`,
        sections.find((section) => section.startsWith(`${heading}\n`))?.slice(heading.length),
      ),
    text,
  };
}

/** Writes the landing page from its template. */
export function landingPage({ promise, install, firstCall }: ReadmeParts): string {
  const [, headline = promise, detail = "", scope = ""] = /^(.+?): (.+?\.) (.+)$/.exec(promise) ?? [];
  return fill("index.html", {
    headline: inline(headline),
    detail: inline(detail.charAt(0).toUpperCase() + detail.slice(1)),
    scope: inline(scope),
    install: escapeHtml(install),
    firstCall: highlight(firstCall),
  });
}

/** Writes what a language model needs to know to use the package right. */
export function llmsText({ promise, install, firstCall, section }: ReadmeParts): string {
  return fill("llms.txt", {
    promise,
    install,
    firstCall,
    target: section("Web or mobile"),
    referrer: section("The referrer pattern, and its trap"),
    options: section("Options"),
    errors: section("Errors"),
  });
}

function fill(file: string, values: Record<string, string>): string {
  const template = readFileSync(`${root}docs/site/${file}`, "utf8");
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`docs/site/${file} asks for {{${name}}}, which nothing gives.`);
    return value;
  });
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** The Markdown that a sentence can hold: links and code. */
function inline(markdown: string): string {
  return escapeHtml(markdown)
    .replace(/\[([^\]]+)\]\(([^)]+)\)/g, '<a href="$2">$1</a>')
    .replace(/`([^`]+)`/g, "<code>$1</code>");
}

/** Colours strings, comments and the few words of the language that a short example has. */
function highlight(code: string): string {
  return escapeHtml(code).replace(
    /(&quot;.*?&quot;)|(\/\/.*)|\b(import|from|const|new|await)\b/g,
    (text, string, comment) =>
      `<span class="${string ? "string" : comment ? "comment" : "keyword"}">${text}</span>`,
  );
}
