import { existsSync, readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { root } from "../../scripts/root.ts";
import { apiError } from "../../src/core/errors.ts";
import * as main from "../../src/index.ts";

const readme = readFileSync(`${root}README.md`, "utf8");
const guide = (page: string) => readFileSync(`${root}docs/content/docs/guide/${page}.md`, "utf8");

/** The cells of the table that starts with this heading. */
function table(page: string, heading: string): string[][] {
  const rows = guide(page).split(`\n${heading}\n`)[1]?.split("\n\n")[0]?.split("\n").slice(1) ?? [];
  if (rows.length === 0) throw new Error(`guide/${page}.md has no table that starts with ${heading}`);
  return rows.map((row) => row.slice(2, -2).split(/ ?\| /));
}

/** What stands in backticks. */
const named = (cell = ""): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);

/** The properties of an interface of src/core/client/options.ts, each with its `@default`. */
function optionsOf(name: string): Record<string, string | undefined> {
  const file = `${root}src/core/client/options.ts`;
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const found = source.statements.find((node) => ts.isInterfaceDeclaration(node) && node.name.text === name);
  if (found === undefined || !ts.isInterfaceDeclaration(found)) throw new Error(`${name} is not there.`);
  return Object.fromEntries(
    found.members.map((member) => {
      const tag = ts.getJSDocTags(member).find(({ tagName }) => tagName.text === "default");
      return [member.name?.getText(source), ts.getTextOfJSDocComment(tag?.comment)];
    }),
  );
}

describe("the guide's options", () => {
  const rows = table("options", "| Option | Default | Meaning |");
  const options = optionsOf("ComplyCubeOptions");

  test("are those of ComplyCubeOptions, in their order", () => {
    expect(rows.map(([option]) => named(option)[0])).toEqual(Object.keys(options));
  });

  test.each(rows)("%s has the default of its docblock, %s", (option = "", shown = "") => {
    const [name = ""] = named(option);
    const documented = options[name] ?? "";

    // A value in backticks, and a number outside of them, stands in the docblock too.
    const values = [...named(shown), ...(shown.match(/\b\d+\b/g) ?? [])];
    for (const value of values) expect(documented).toContain(value);
    expect(shown === "").toBe(documented === "");
  });

  test("say which of them one call can take", () => {
    const [, sentence = ""] = /\n---\n\n(.*?)\n\n/s.exec(guide("options")) ?? [];

    const own = named(sentence).filter((name) => !name.includes("("));

    expect(own.sort()).toEqual(Object.keys(optionsOf("RequestOptions")).sort());
  });
});

describe("the guide's errors", () => {
  const rows = table("errors", "| Class (`name`) | `code` | When |");
  const classes = Object.entries(main).filter(
    ([, value]) => typeof value === "function" && value.prototype instanceof main.ComplyCubeError,
  );

  test("are the classes that the package exports", () => {
    expect(rows.flatMap(([name]) => named(name)).sort()).toEqual(classes.map(([name]) => name).sort());
  });

  test("have the codes that the table gives them", () => {
    const made: Record<string, main.ComplyCubeError> = {
      ComplyCubeApiError: apiError({ status: 500, message: "" }),
      InvalidRequestError: apiError({ status: 400, message: "" }),
      AuthenticationError: apiError({ status: 401, message: "" }),
      PermissionDeniedError: apiError({ status: 403, message: "" }),
      RateLimitError: apiError({ status: 429, message: "" }),
      ConnectionError: new main.ConnectionError(""),
      TimeoutError: new main.TimeoutError(1),
      InvalidResponseError: new main.InvalidResponseError("", 200, undefined),
      RateLimitQueueFullError: new main.RateLimitQueueFullError(1, 0),
    };

    for (const [names, code] of rows) {
      for (const name of named(names)) {
        expect(made[name]?.name).toBe(name);
        expect(made[name]?.code).toBe(named(code)[0]);
      }
    }
  });

  test("have the fields and the statuses that the table gives them", () => {
    const [api = [], subclasses = []] = rows;
    const statuses = subclasses[2]?.match(/\d{3}/g)?.map(Number) ?? [];
    const error = apiError({ status: 500, message: "" });

    expect(named(api[2]).sort()).toEqual(
      Object.getOwnPropertyNames(error)
        .filter((field) => !["name", "code", "attempts", "message", "stack"].includes(field))
        .sort(),
    );
    expect(statuses.map((status) => apiError({ status, message: "" }).name)).toEqual(named(subclasses[0]));
  });
});

test("the README is a front door: at most 150 lines of at most 120 characters", () => {
  const lines = readme.trimEnd().split("\n");

  expect(lines.length).toBeLessThanOrEqual(150);
  expect(lines.filter((line) => line.length > 120)).toEqual([]);
});

test.each([
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  "examples/README.md",
  "bench/README.md",
])("%s links to files that are there", (document) => {
  const text = readFileSync(root + document, "utf8").replace(/^```.*?^```/gms, "");
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);

  const files = links.filter((link) => !/^(https:|#)/.test(link)).map((link) => link.replace(/#.*/, ""));
  const missing = files.filter((file) => !existsSync(new URL(file, `file://${root}${document}`)));

  expect(missing).toEqual([]);
});
