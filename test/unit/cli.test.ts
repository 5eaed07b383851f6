import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { root } from "../../scripts/root.ts";

function cli(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["src/cli.ts", ...args], {
    cwd: root,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("check-referrer", () => {
  test("exits 0 when the pattern matches what the page sends", () => {
    const { status, stdout, stderr } = cli(
      "check-referrer",
      "https://*.example.com/*",
      "https://a.example.com/verify",
    );

    expect(stdout).toMatch(/^Sent +https:\/\/a\.example\.com\/$/m);
    expect(stdout).toMatch(/^Result +matches$/m);
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  test("exits 1 and says what to change when the path cannot arrive", () => {
    const { status, stdout } = cli(
      "check-referrer",
      "https://a.example.com/verify/*",
      "https://a.example.com/verify/1",
    );

    expect(stdout).toMatch(/^Result +does not match \(path-not-sent\)$/m);
    expect(stdout).toContain('use "https://a.example.com/*"');
    expect(status).toBe(1);
  });

  test("takes the page's policy into account", () => {
    const pattern = "https://a.example.com/verify/*";
    const page = "https://a.example.com/verify/1";

    const { status, stdout } = cli("check-referrer", pattern, page, "--referrer-policy", "unsafe-url");

    expect(stdout).toMatch(/^Sent +https:\/\/a\.example\.com\/verify\/1$/m);
    expect(status).toBe(0);
  });

  test.each([
    ["https://*.co.uk/*", "https://shop.co.uk/", "co.uk"],
    ["https://*.vercel.app/*", "https://shop.vercel.app/", "vercel.app"],
  ])("exits 1 for %s, which covers all of a public suffix", (pattern, page, suffix) => {
    const { status, stdout } = cli("check-referrer", pattern, page);

    expect(stdout).toMatch(/^Result +matches \(public-suffix\)$/m);
    expect(stdout).toContain(`Anyone can have a site under ${suffix}`);
    expect(status).toBe(1);
  });

  test("exits 1 for a pattern that any site matches", () => {
    const { status, stdout } = cli("check-referrer", "*://*/*", "https://a.example.com/");

    expect(stdout).toMatch(/^Result +matches \(any-site\)$/m);
    expect(status).toBe(1);
  });
});

describe("misuse", () => {
  test.each([
    { args: [], says: "No command given." },
    { args: ["nonsense"], says: 'There is no command "nonsense".' },
    { args: ["check-referrer"], says: "takes a pattern and a page's URL" },
    {
      args: ["check-referrer", "https://a.example.com", "https://a.example.com/"],
      says: "Invalid referrer pattern",
    },
    { args: ["check-referrer", "https://a.example.com/*", "nonsense"], says: "pageUrl must be a URL" },
    { args: ["check-referrer", "a", "b", "--nonsense"], says: "Unknown option '--nonsense'" },
    {
      args: [
        "check-referrer",
        "https://a.example.com/*",
        "https://a.example.com/",
        "--referrer-policy",
        "nonsense",
      ],
      says: "referrerPolicy must be one of",
    },
  ])("exits 2 with one line on stderr and nothing on stdout: $args", ({ args, says }) => {
    const { status, stdout, stderr } = cli(...args);

    expect(stderr).toContain(says);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/Try: complycube-tokens .*--help$/m);
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });
});

describe("help", () => {
  test.each([["--help"], ["check-referrer", "--help"]])("%s %s goes to stdout and exits 0", (...args) => {
    const { status, stdout, stderr } = cli(...args.filter((arg) => arg !== undefined));

    expect(stdout).toContain("Usage:");
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
});
