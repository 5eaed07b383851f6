import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { Application, Logger, LogLevel, type TypeDocOptions } from "typedoc";
import { root } from "./root.ts";

/**
 * What generated/ declares takes its comments from the spec and the generator, which leave out some fields and name
 * types that nobody needs to know. Only what is nested there may do without: each name that is exported has a comment.
 */
const GENERATED =
  /^\S+, defined in \S+\/generated\/\S+ is referenced by|^[\w/-]+\.\w+\.\S+ \(\w+\), defined in \S+\/generated\//;

/** TypeDoc cannot say "the folder above this one", so this stands for it until the pages are written. */
const HOME = "https://home.invalid/";

class WarningCollector extends Logger {
  readonly warnings: string[] = [];

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn && !GENERATED.test(message)) this.warnings.push(message);
  }
}

/**
 * Writes the API reference of every entry point of the package, from the docblocks.
 *
 * @throws {Error} that lists what is exported without a docblock, and the links in docblocks that lead nowhere
 */
export async function buildApiReference(folder: string): Promise<void> {
  const options: TypeDocOptions = {
    name: "complycube-tokens SDK",
    entryPoints: entryPoints(),
    tsconfig: `${root}tsconfig.json`,
    basePath: root,
    readme: "none",
    skipErrorChecking: true, // `npm run typecheck` does that.
    disableSources: true, // A link to them needs a git remote, which not every checkout has.
    excludeExternals: true,
    excludeInternal: true,
    groupReferencesByType: true,
    sort: ["static-first", "required-first", "source-order"],
    sortEntryPoints: false,
    includeHierarchySummary: false,
    useFirstParagraphOfCommentAsSummary: true,
    navigation: { includeFolders: false },
    customCss: `${root}docs/site/api.css`,
    favicon: `${root}docs/site/favicon.svg`,
    titleLink: `${HOME}index.html`,
    navigationLinks: { Endpoint: `${HOME}reference/index.html` },
    highlightLanguages: ["typescript", "javascript", "bash", "json"],
    validation: { notDocumented: true, notExported: true, invalidLink: true, rewrittenLink: true },
    externalSymbolLinkMappings: {
      typescript: {
        Body: "https://developer.mozilla.org/docs/Web/API/Response#instance_methods",
        "JSON.stringify":
          "https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects/JSON/stringify",
      },
    },
  };
  const app = await Application.bootstrap(options);
  const logger = new WarningCollector();
  app.logger = logger;
  const project = await app.convert();
  if (project !== undefined) {
    app.validate(project);
    await app.generateDocs(project, folder);
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (file.endsWith(".html")) mendPage(folder, file);
    }
  }
  if (logger.warnings.length > 0) {
    throw new Error(`The API reference is not whole:\n${logger.warnings.join("\n")}`);
  }
}

/** Makes the links to the rest of the site relative, lets a page opened from a file show its icons, and names its main part. */
function mendPage(folder: string, file: string): void {
  const html = readFileSync(join(folder, file), "utf8");
  const home = "../".repeat(file.split(sep).length);
  const mended = html
    .replaceAll(HOME, home)
    // Chromium loads no part of another file from a file. icons.js puts them into the page in any case.
    .replace(/"[^"]*assets\/icons\.svg#/g, '"#')
    .replace('<div class="col-content">', '<div class="col-content" role="main">');
  writeFileSync(join(folder, file), mended);
}

/** The sources of what can be imported, so that nothing that is exported stays out of the reference. */
function entryPoints(): string[] {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { exports: object };
  return Object.keys(exports)
    .filter((name) => !/\.(json|yaml)$/.test(name))
    .map((name) => {
      const path = name === "." ? "src/index" : `src/${name.slice(2)}`;
      return existsSync(`${root}${path}.ts`) ? `${root}${path}.ts` : `${root}${path}/index.ts`;
    });
}
