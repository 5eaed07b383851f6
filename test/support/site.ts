import { existsSync, globSync, readFileSync } from "node:fs";

import { join, posix } from "node:path";
import axe from "axe-core";
import type { BrowserContext, ConsoleMessage, Page, Request, Response, WebError } from "playwright-core";
import sirv from "sirv";
import { onTestFinished } from "vitest";
import { root } from "../../scripts/root.ts";
import { listen } from "./listen.ts";

/** What went wrong while pages were shown. */
export interface Watch {
  /** Requests for anything but the site's own files. */
  elsewhere: string[];
  /** Errors on the console, files that are not there, and exceptions. */
  errors: string[];
}

/** Notes what pages ask for and complain about until the test ends; the site's own addresses start with `base`. */
export function watch(context: BrowserContext, base: string): Watch {
  const seen: Watch = { elsewhere: [], errors: [] };
  const onRequest = (request: Request) => {
    if (!request.url().startsWith(base) && !/^(data|blob):/.test(request.url())) {
      seen.elsewhere.push(request.url());
    }
  };
  const onResponse = (response: Response) => {
    if (response.status() >= 400) seen.errors.push(`${response.status()}: ${response.url()}`);
  };
  const onConsole = (message: ConsoleMessage) => {
    if (message.type() === "error") seen.errors.push(message.text());
  };
  const onWebError = (error: WebError) => seen.errors.push(String(error.error()));
  context
    .on("request", onRequest)
    .on("response", onResponse)
    .on("console", onConsole)
    .on("weberror", onWebError);
  onTestFinished(() => {
    context
      .off("request", onRequest)
      .off("response", onResponse)
      .off("console", onConsole)
      .off("weberror", onWebError);
  });
  return seen;
}

/** Serves a built site as any static server does, under the path that it was built for. */
export async function serveSite(folder: string, base: string) {
  const files = sirv(folder, { dev: true });
  return listen((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const notFound = () => void response.writeHead(404).end();
    if (!pathname.startsWith(base)) return notFound();
    request.url = pathname.slice(base.length - 1);
    files(request, response, notFound);
  });
}

/** The addresses of a built site's pages, relative to its base. */
export function pagesOf(folder: string): string[] {
  return globSync("**/index.html", { cwd: folder })
    .map((file) => file.slice(0, -"index.html".length))
    .sort();
}

/** The serious and critical findings of axe on the page as it stands, one line each. */
export async function seriousFindings(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    (options) => (globalThis as unknown as { axe: typeof axe }).axe.run(document, options),
    { resultTypes: ["violations"] as ["violations"] },
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}

/** How many CSS pixels the page can be scrolled to the right, or a picture's text is cut off there. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const cutOff = [...document.querySelectorAll("svg text")].map((text) => {
      const picture = text.closest("svg") as Element;
      return Math.ceil(text.getBoundingClientRect().right - picture.getBoundingClientRect().right);
    });
    return Math.max(scrollWidth - clientWidth, ...cutOff);
  });
}

/** Whether what lies behind the text is dark. */
export function isDark(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const [behind = ""] = [document.body, document.documentElement]
      .map((element) => getComputedStyle(element).backgroundColor)
      .filter((colour) => colour !== "rgba(0, 0, 0, 0)");
    return (behind.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) < 384;
  });
}

/**
 * Why a link leads nowhere, or `undefined` if it leads somewhere; another host is not asked.
 *
 * @param from the address of what holds the link, relative to the base
 */
export function whyBroken(folder: string, base: string, from: string, link: string): string | undefined {
  const here = new URL(base + from, "http://site.invalid");
  const url = new URL(link, here);
  if (url.host !== here.host) return url.protocol === "https:" ? undefined : "not an https address";
  if (!url.pathname.startsWith(base)) return "outside of the site";
  const path = decodeURIComponent(url.pathname.slice(base.length));
  const file = join(folder, path === "" || path.endsWith("/") ? posix.join(path, "index.html") : path);
  if (!existsSync(file)) return "no such file";
  const anchor = decodeURIComponent(url.hash.slice(1));
  if (anchor === "" || !file.endsWith(".html")) return undefined;
  return readFileSync(file, "utf8").includes(`id="${anchor}"`) ? undefined : "no such anchor";
}

/** The samples in the order in which the page of the endpoint offers them, and the files they come from. */
export const SAMPLES = ["web", "mobile"].flatMap((kind) =>
  [
    ["complycube-tokens", "complycube-tokens.mjs"],
    ["cURL", "curl.sh"],
    ["Node.js", "node.cjs"],
    ["Python", "python.py"],
    ["PHP", "php.php"],
    [".NET", "dotnet.cs"],
  ].map(([name, file]) => ({
    label: `${name}, ${kind === "web" ? "for a web page" : "for an app"}`,
    text: readFileSync(`${root}openapi/code-samples/${kind}/${file}`, "utf8").trim(),
  })),
);
