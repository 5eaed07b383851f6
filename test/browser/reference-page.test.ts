import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../scripts/root.ts";
import { type Chromium, findChromium, launchChromium } from "../support/chromium.ts";

const executable = findChromium("the reference page");

/** The samples in the order in which the page offers them, and the files they come from. */
const samples = ["web", "mobile"].flatMap((kind) =>
  [
    ["complycube-tokens", "complycube-tokens.mjs"],
    ["cURL", "curl.sh"],
    ["Node.js", "node.cjs"],
    ["Python", "python.py"],
    ["PHP", "php.php"],
    [".NET", "dotnet.cs"],
  ].map(([name, file]) => ({ label: `${name} (${kind})`, file: `openapi/code-samples/${kind}/${file}` })),
);

describe.skipIf(!executable)("the reference page, opened from a file", () => {
  let chromium: Chromium;
  let page: Page;
  const elsewhere: string[] = [];
  const consoleErrors: string[] = [];

  beforeAll(async () => {
    execFileSync(process.execPath, ["scripts/docs.ts"], { cwd: root });
    chromium = await launchChromium(executable as string);
    page = await chromium.context.newPage();
    page.on("request", (request) => {
      if (!/^(file|data|blob):/.test(request.url())) elsewhere.push(request.url());
    });
    page.on("console", (message) => {
      if (message.type() === "error") consoleErrors.push(message.text());
    });
    await page.goto(`${pathToFileURL(`${root}site/index.html`)}#/tokens/generatetoken`);
    await page.getByRole("heading", { name: "Generate a token" }).waitFor();
  });
  afterAll(() => chromium?.close());

  test.each(samples)("shows the sample $label, whole", async ({ label, file }) => {
    const shown = page.locator("pre:visible", { hasText: "CLIENT_ID" }).first();
    const switcher = page
      .getByText(/^(complycube-tokens|cURL|Node\.js|Python|PHP|\.NET) \((web|mobile)\)$/)
      .first();

    if ((await switcher.textContent()) !== label) {
      await switcher.click();
      await page.getByText(label, { exact: true }).last().click();
    }

    await expect
      .poll(async () => (await shown.textContent())?.trim())
      .toBe(readFileSync(root + file, "utf8").trim());
  });

  test("asks no other host for anything and reports no error", () => {
    expect(elsewhere).toEqual([]);
    expect(consoleErrors).toEqual([]);
  });
});
