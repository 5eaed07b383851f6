import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import axe from "axe-core";
import type { BrowserContext, ConsoleMessage, Page, Request, Response, WebError } from "playwright-core";
import { onTestFinished } from "vitest";
import { root } from "../../scripts/root.ts";

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

/** The serious and critical findings of axe on the page as it stands, one line each, without those that are known. */
export async function seriousFindings(page: Page, known?: RegExp): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    (options) => (globalThis as unknown as { axe: typeof axe }).axe.run(document, options),
    { resultTypes: ["violations"] as ["violations"] },
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
    .filter((finding) => !known?.test(finding));
}

/** Waits until the page has drawn itself. */
export async function settled(page: Page): Promise<void> {
  await page.waitForLoadState("load");
  const drawn = /\/(api|reference)\//.exec(page.url())?.[1];
  if (drawn === "api") await page.locator("#tsd-nav-container a").first().waitFor({ state: "attached" });
  if (drawn === "reference") await page.locator("#redoc", { hasNotText: "Loading..." }).waitFor();
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

/** Why a link of a page leads nowhere, or `undefined` if it leads somewhere; another host is not asked. */
export function whyBroken(folder: string, page: string, link: string): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(link)) {
    return link.startsWith("https://") && URL.canParse(link) ? undefined : "not an https address";
  }
  const [path = "", anchor = ""] = link.split("#");
  const target = path === "" ? page : posix.join(dirname(page), path);
  if (path.startsWith("/") || target.startsWith("..")) return "outside of the site";
  const file = join(folder, target);
  if (!existsSync(file) || !statSync(file).isFile()) return "no such file";
  return anchor === "" || readFileSync(file, "utf8").includes(`id="${anchor}"`)
    ? undefined
    : "no such anchor";
}

/** The samples in the order in which the reference page offers them, and the files they come from. */
export const SAMPLES = ["web", "mobile"].flatMap((kind) =>
  [
    ["complycube-tokens", "complycube-tokens.mjs"],
    ["cURL", "curl.sh"],
    ["Node.js", "node.cjs"],
    ["Python", "python.py"],
    ["PHP", "php.php"],
    [".NET", "dotnet.cs"],
  ].map(([name, file]) => ({
    label: `${name} (${kind})`,
    text: readFileSync(`${root}openapi/code-samples/${kind}/${file}`, "utf8").trim(),
  })),
);
