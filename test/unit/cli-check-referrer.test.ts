import { describe, expect, test } from "vitest";
import { checkReferrer } from "../../src/cli/check-referrer.ts";
import { runCli, runHere } from "../support/cli.ts";

const check = (...args: string[]) => runHere(() => checkReferrer(args));

describe("check-referrer", () => {
  test("exits 0 when the pattern matches what the page sends", async () => {
    const page = "https://a.example.com/verify";
    const built = await runCli(["check-referrer", "https://*.example.com/*", page]);
    const here = await check("https://*.example.com/*", page);

    expect(here).toEqual(built);
    expect(built.stdout).toBe(
      [
        "Pattern  https://*.example.com/*",
        "Page     https://a.example.com/verify",
        "Sent     https://a.example.com/",
        "Result   matches",
        'The page sends "https://a.example.com/", which the pattern matches; in another site\'s iframe it must set the policy itself.',
        "",
      ].join("\n"),
    );
    expect(built.stderr).toBe("");
    expect(built.status).toBe(0);
  });

  test("exits 1 and says what to change when the path cannot arrive", async () => {
    const { status, stdout } = await check(
      "https://a.example.com/verify/*",
      "https://a.example.com/verify/1",
    );

    expect(stdout).toMatch(/^Result +does not match \(path-not-sent\)$/m);
    expect(stdout).toContain('use "https://a.example.com/*"');
    expect(status).toBe(1);
  });

  test("says so when nothing is sent", async () => {
    const { status, stdout } = await check(
      "https://a.example.com/*",
      "https://a.example.com/",
      "--referrer-policy",
      "same-origin",
    );

    expect(stdout).toMatch(/^Sent +no Referer$/m);
    expect(status).toBe(1);
  });

  test("claims nothing of a page that browsers differ about", async () => {
    const { status, stdout } = await check("https://a.example.com/*", "about:srcdoc");

    expect(stdout).toMatch(/^Sent +it depends on the browser$/m);
    expect(stdout).toMatch(/^Result +does not match \(not-a-web-page\)$/m);
    expect(status).toBe(1);
  });

  test.each(["unsafe-url", "Unsafe-URL", "UNSAFE-URL"])("takes the page's policy as %s", async (policy) => {
    const page = "https://a.example.com/verify/1";

    const { status, stdout } = await check(
      "https://a.example.com/verify/*",
      page,
      "--referrer-policy",
      policy,
    );

    expect(stdout).toMatch(/^Sent +https:\/\/a\.example\.com\/$/m);
    expect(stdout).toMatch(/^Result +does not match \(only-in-chrome\)$/m);
    expect(status).toBe(1);
  });

  test("refuses a policy that is given twice", async () => {
    const url = "https://a.example.com/";
    const policies = ["--referrer-policy", "origin", "--referrer-policy=no-referrer"];

    const { status, stderr } = await runCli(["check-referrer", `${url}*`, url, ...policies]);

    expect(stderr).toBe("--referrer-policy is given twice. Try: complycube-tokens check-referrer --help\n");
    expect(status).toBe(2);
  });

  test("lists the policies for one that is none, and in its help", async () => {
    const policies = [
      "no-referrer",
      "no-referrer-when-downgrade",
      "same-origin",
      "origin",
      "strict-origin",
      "origin-when-cross-origin",
      "strict-origin-when-cross-origin",
      "unsafe-url",
    ];

    const wrong = await runCli([
      "check-referrer",
      "https://a.example.com/*",
      "https://a.example.com/",
      "--referrer-policy",
      "unsafe",
    ]);
    const help = await check("--help");

    expect(wrong.stderr).toBe(
      `--referrer-policy must be one of ${policies.join(", ")}, not "unsafe". Try: complycube-tokens check-referrer --help\n`,
    );
    expect(wrong.status).toBe(2);
    for (const policy of policies) expect(help.stdout).toMatch(new RegExp(`\\b${policy}[,\\s]`));
  });

  test.each([
    ["https://*.co.uk/*", "https://shop.co.uk/", "co.uk"],
    ["https://*.vercel.app/*", "https://shop.vercel.app/", "vercel.app"],
  ])("exits 1 for %s, which covers all of a public suffix", async (pattern, page, suffix) => {
    const { status, stdout } = await check(pattern, page);

    expect(stdout).toMatch(/^Result +matches \(public-suffix\)$/m);
    expect(stdout).toContain(", which the pattern matches; ");
    expect(stdout).toContain(`Anyone can have a site under ${suffix}`);
    expect(status).toBe(1);
  });

  test("says both that a pattern covers a public suffix and why it does not match", async () => {
    const { status, stdout } = await check("https://*.co.uk/*", "http://shop.co.uk/");

    expect(stdout).toMatch(/^Result +does not match \(scheme-differs, public-suffix\)$/m);
    expect(stdout).toContain(
      'The page sends "http://shop.co.uk/", but the pattern is for the scheme "https"',
    );
    expect(stdout).toContain("Anyone can have a site under co.uk");
    expect(status).toBe(1);
  });

  test("exits 1 for a pattern that any site matches", async () => {
    const { status, stdout } = await check("*://*/*", "https://a.example.com/");

    expect(stdout).toMatch(/^Result +matches \(any-site\)$/m);
    expect(status).toBe(1);
  });

  test("lets nothing through that a terminal would obey", async () => {
    const page = "https://a.example.com/\n\u001b[2J\u009b31m\u202e\u{e0001}\r\u0007Result   matches";

    const { stdout } = await check("https://b.example.com/\u009b31m\u202e*", page);

    expect(stdout).toContain(
      "\nPage     https://a.example.com/\\u000a\\u001b[2J\\u009b31m\\u202e\\udb40\\udc01\\u000d\\u0007Result   matches\n",
    );
    expect(stdout).toContain("Pattern  https://b.example.com/\\u009b31m\\u202e*\n");
    expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(stdout).not.toMatch(/^Result +matches$/m);
  });
});
