import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  environment,
  finished,
  hasFullDevice,
  KEY,
  PROGRAM,
  runCli,
  runShell,
  startCli,
} from "../support/cli.ts";
import { minting, mintingApi } from "../support/minting-api.ts";

vi.setConfig({ testTimeout: 30_000 }); // Each test starts programs.

const appId = "com.example.app";
const folder = mkdtempSync(join(tmpdir(), "complycube-batch-"));
const running: ChildProcessWithoutNullStreams[] = [];
let api: Awaited<ReturnType<typeof mintingApi>>;

beforeAll(async () => {
  api = await mintingApi();
});
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
  api.reset();
});
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

describe("generate --batch", () => {
  test("refuses a line whose pattern has a path, unless --allow-referrer-path is given", async () => {
    const path = lines(['{"clientId":"C1","referrer":"https://www.example.com/verify/*"}']);

    const refused = await cli("--batch", path);
    const minted = await cli("--batch", path, "--allow-referrer-path");

    expect(parse(refused.stdout)[0]?.error).toMatchObject({ name: "ReferrerPatternError" });
    expect(refused.status).toBe(1);
    expect(parse(minted.stdout)[0]).toMatchObject({ token: "TOKEN_OF_C1" });
    expect(minted.status).toBe(0);
    expect(api.sent).toHaveLength(1);
  });

  test("writes a result for every line, with its number, and exits 1 when one failed", async () => {
    api.answer = (clientId, response) =>
      clientId === "C2" ? void response.writeHead(401).end('{"message":"no"}') : minting(clientId, response);
    const file = lines([
      `{"clientId":"C1","appId":"${appId}","row":"mine"}`,
      `{"clientId":"C2","appId":"${appId}"}`,
      "",
      "nonsense",
      '{"clientId":"C5"}',
      "[1]",
      `{"clientId":"C7","referrer":"https://www.example.com/*"}`,
    ]);

    const { status, stdout, stderr } = await cli("--batch", file);

    const results = parse(stdout);
    expect(results.map(({ line }) => line)).toEqual([1, 2, 4, 5, 6, 7]);
    expect(results[0]).toEqual({ line: 1, clientId: "C1", appId, row: "mine", token: "TOKEN_OF_C1" });
    expect(results[1]).toMatchObject({
      line: 2,
      error: { name: "AuthenticationError", code: "api", status: 401 },
    });
    expect(results[2]).toMatchObject({
      input: "nonsense",
      error: { message: "The line is not a JSON object." },
    });
    expect(results[3]).toMatchObject({ clientId: "C5", error: { name: "TypeError" } });
    expect(results[4]).toMatchObject({ input: "[1]" });
    expect(results[5]).toMatchObject({ token: "TOKEN_OF_C7" });
    expect(stderr).toBe("2 minted, 4 failed.\n");
    expect(status).toBe(1);
  });

  test("reads stdin, and exits 0 when every token was minted", async () => {
    const child = start(["--batch", "-"]);
    child.stdin.end(many(3));

    const { status, stdout } = await finished(child);

    expect(parse(stdout).map(({ token }) => token)).toEqual(["TOKEN_OF_C1", "TOKEN_OF_C2", "TOKEN_OF_C3"]);
    expect(status).toBe(0);
  });

  test("reads a named pipe", async () => {
    const pipe = join(folder, "pipe");

    const { status, stdout } = await runShell(
      `mkfifo ${pipe} && { echo '{"clientId":"C1","appId":"${appId}"}' > ${pipe} & cli generate --batch ${pipe}; }`,
      { COMPLYCUBE_BASE_URL: api.url },
    );

    expect(parse(stdout)).toEqual([{ line: 1, clientId: "C1", appId, token: "TOKEN_OF_C1" }]);
    expect(status).toBe(0);
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s stops it cleanly, with what is done written",
    async (signal) => {
      api.answer = (clientId, response) =>
        void (Number(clientId.slice(1)) <= 3 && minting(clientId, response));
      const child = start(["--batch", "-"]);
      child.stdin.write(many(50)); // And stdin stays open.
      const done = finished(child);
      for (let seen = ""; seen.split("\n").length < 4; )
        seen += String((await once(child.stdout, "data"))[0]);

      child.kill(signal);
      const { status, stdout, stderr } = await done;

      expect(parse(stdout)).toHaveLength(3);
      expect(stdout.endsWith("\n")).toBe(true);
      expect(stderr).toBe(
        "Stopped: 3 minted, 0 failed; a line without a result was not minted. To go on: " +
          "complycube-tokens generate --batch - --resume RESULTS.jsonl >> RESULTS.jsonl, " +
          "where RESULTS.jsonl holds all results so far.\n",
      );
      expect(status).toBe(130);
      expect(api.sent.length).toBeLessThan(50);
    },
  );

  test("stops when nobody reads its output any more", async () => {
    const rows = 20_000;
    const child = start(["--batch", lines(many(rows).trim().split("\n"))]);
    const done = once(child, "exit");

    await once(child.stdout, "data");
    child.stdout.destroy();
    const [status] = await done;

    expect(status).toBe(130);
    expect(api.sent.length).toBeLessThan(rows);
  });

  test.skipIf(!hasFullDevice)("exits 1 when its results cannot be written", async () => {
    const { status, stderr } = await runShell(
      `cli generate --batch ${lines(many(3).trim().split("\n"))} > /dev/full`,
      { COMPLYCUBE_BASE_URL: api.url },
    );

    expect(stderr).toMatch(/^Cannot write the result: ENOSPC\.\nStopped: /);
    expect(status).toBe(1);
  });

  test.each([
    ["live_KEY", 36_001],
    ["test_KEY", 18_001],
  ])("warns when a batch with a %s outlives its own first token", async (key, count) => {
    const file = lines(many(count).trim().split("\n"));
    const child = start(["--batch", file], { COMPLYCUBE_API_KEY: key });
    const done = finished(child);
    await once(child.stdout, "data");

    child.kill("SIGINT");
    const { stderr } = await done;

    expect(stderr).toMatch(new RegExp(`^Warning: ${count} tokens take over an hour \\(${count - 1} an hour`));
  });

  test("shows the key nowhere", async () => {
    api.answer = (_, response) => void response.writeHead(400).end(`{"message":"bad key ${KEY}"}`);

    const { stdout, stderr } = await cli("--batch", lines(many(2).trim().split("\n")));

    expect(stdout + stderr).not.toContain(KEY);
  });
});

describe("lines", () => {
  test.each([
    ["U+2028", "\u2028"],
    ["U+2029", "\u2029"],
    ["U+0085", "\u0085"],
  ])("are not split at a raw %s inside a string", async (_, character) => {
    const row = `{"clientId":"C1","appId":"${appId}","note":"a${character}b"}`;

    const { stdout } = await cli("--batch", lines([row, rowOf(2)]));

    expect(linesOf(stdout)).toEqual([
      `{"line":1,"clientId":"C1","appId":"${appId}","note":"a${character}b","token":"TOKEN_OF_C1"}`,
      `{"line":2,"clientId":"C2","appId":"${appId}","token":"TOKEN_OF_C2"}`,
    ]);
  });

  test.each([
    ["LF", "\n", "\n"],
    ["CRLF", "\r\n", "\r\n"],
    ["LF, and none at the end", "\n", ""],
    ["CRLF, and none at the end", "\r\n", ""],
  ])("end in %s", async (_, end, last) => {
    const content = [rowOf(1), "", rowOf(3)].join(end) + last;
    const fromStdin = await runCli(["generate", "--batch", "-"], content, { COMPLYCUBE_BASE_URL: api.url });

    const fromFile = await cli("--batch", file(content));

    for (const { stdout } of [fromStdin, fromFile])
      expect(parse(stdout).map(({ line, token }) => [line, token])).toEqual([
        [1, "TOKEN_OF_C1"],
        [3, "TOKEN_OF_C3"],
      ]);
  });

  test("may start with a byte order mark, in a file that was put together from several too", async () => {
    const { stdout } = await cli("--batch", lines([`\uFEFF${rowOf(1)}`, `\uFEFF${rowOf(2)}`]));

    expect(parse(stdout).map(({ token }) => token)).toEqual(["TOKEN_OF_C1", "TOKEN_OF_C2"]);
  });

  test("are told apart by what is wrong with them", async () => {
    const content = Buffer.concat([
      Buffer.from(`${rowOf(1)}\n`),
      Buffer.from('{"clientId":"\xe9"}\n', "latin1"),
      Buffer.from([...Buffer.from('{"clientId":"'), 0xed, 0xa0, 0x80, ...Buffer.from('"}\n')]), // A lone surrogate.
      Buffer.from(`\0${rowOf(4)}\n`),
      Buffer.from(`{"clientId":"C5","appId":"${appId}","note":"\\ud800"}\n`), // As JSON writes one.
      Buffer.from(`${rowOf(6)}\n`),
    ]);

    const { stdout } = await cli("--batch", file(content));

    expect(parse(stdout).map(({ token, error }) => token ?? (error as Error).message)).toEqual([
      "TOKEN_OF_C1",
      "The line is not UTF-8: save the file as UTF-8.",
      "The line is not UTF-8: save the file as UTF-8.",
      "The line has NUL bytes: if the file is UTF-16, save it as UTF-8.",
      "TOKEN_OF_C5",
      "TOKEN_OF_C6",
    ]);
  });

  test("of 50 MB are refused with their number, in bounded memory", async () => {
    const isMeasured = existsSync("/proc");
    if (!isMeasured) console.warn("SKIPPED: how much memory the rows take, which only Linux's /proc tells.");
    const memoryKiB: number[] = [];
    for (const megabytes of [50, 150]) {
      const path = lines([rowOf(1), `{"clientId":"${"x".repeat(megabytes * 1_000_000)}"}`, rowOf(3)]);
      const child = start(["--batch", path]);
      api.answer = (clientId, response) => {
        const status = isMeasured ? readFileSync(`/proc/${child.pid}/status`, "utf8") : "VmHWM: 0";
        if (clientId === "C3") memoryKiB.push(Number(status.match(/VmHWM:\s+(\d+)/)?.[1]));
        minting(clientId, response);
      };

      const { stdout, stderr } = await finished(child);

      expect(parse(stdout)[1]).toEqual({
        line: 2,
        error: { name: "TypeError", message: "The line is longer than 1 MiB." },
      });
      expect(stderr).toBe("2 minted, 1 failed.\n");
    }
    const [small = 0, large = 0] = memoryKiB;
    expect(memoryKiB).toHaveLength(2);
    expect(large - small).toBeLessThan(60_000);
  });

  test.each([
    ["UTF-16", "\uFEFF", "utf16le"],
    ["UTF-16, big-endian", "\uFEFF", "utf16be"],
  ])("in %s exit 2, and say what to do", async (_, mark, encoding) => {
    const content = Buffer.from(`${mark}${rowOf(1)}\r\n`, "utf16le");
    const bytes = encoding === "utf16be" ? content.swap16() : content;
    const path = file(bytes);
    const says = (what: string) =>
      `Cannot read ${what}: it is UTF-16. Save it as UTF-8. Try: complycube-tokens generate --help\n`;

    const fromFile = await cli("--batch", path);
    const fromStdin = await runShell(`cli generate --batch - < ${path}`, { COMPLYCUBE_BASE_URL: api.url });
    const results = await cli("--batch", lines([rowOf(1)]), "--resume", path);

    expect(fromFile).toMatchObject({ status: 2, stdout: "", stderr: says(JSON.stringify(path)) });
    expect(fromStdin).toMatchObject({ status: 2, stdout: "", stderr: says("stdin") });
    expect(results).toMatchObject({ status: 2, stdout: "", stderr: says(JSON.stringify(path)) });
    expect(api.sent).toEqual([]);
  });
});

describe("a result", () => {
  test.each([
    '"customer":9007199254740993,"amount":1.10,"big":1e400',
    '"a" : [ 1.0 ,\t2e0 ],  "b":"\\u0041\\/"',
    '"twice":1,"twice":2',
    '"text":"\u0080\u202e\u2066\ufeff\u007f"',
  ])("has the row's own text: %j", async (more) => {
    const { stdout } = await cli("--batch", lines([`  { "clientId":"C1", "appId":"${appId}", ${more} } `]));

    expect(stdout).toBe(`{"line":1,"clientId":"C1", "appId":"${appId}", ${more},"token":"TOKEN_OF_C1"}\n`);
  });

  test("of an empty row is JSON", async () => {
    const { stdout } = await cli("--batch", lines(["{ }"]));

    expect(parse(stdout)[0]).toMatchObject({ line: 1, error: { name: "TypeError" } });
  });

  test.each(["line", "token", "error"])(
    "does not hide a row's own field %j: the row is refused",
    async (name) => {
      const row = `{"clientId":"C2","appId":"${appId}","${name}":1.10}`;

      const { stdout } = await cli("--batch", lines([rowOf(1), row]));

      expect(parse(stdout)[1]).toEqual({
        line: 2,
        input: row,
        error: {
          name: "TypeError",
          message: `The row has a field "${name}", which its result adds: rename it.`,
        },
      });
      expect(api.sent).toEqual(["C1"]);
    },
  );
});

describe("--resume", () => {
  test("mints every row that failed or was never tried, and keeps its number", async () => {
    const rows = lines([...many(4).trim().split("\n"), "", "nonsense", rowOf(7)]);
    const results = lines([
      `{"line":1,${rowOf(1).slice(1, -1)},"token":"T1"}`,
      `{"line":3,${rowOf(3).slice(1, -1)},"error":{"name":"RateLimitError"}}`,
      `{"line":4,${rowOf(4).slice(1, -1)},"error":{"name":"RateLimitError"}}`,
      `{"line":4,${rowOf(4).slice(1, -1)},"token":"T4"}`,
    ]);

    const { status, stdout, stderr } = await cli("--batch", rows, "--resume", results);

    expect(parse(stdout).map(({ line, token, error }) => [line, token ?? (error as Error).message])).toEqual([
      [2, "TOKEN_OF_C2"],
      [3, "TOKEN_OF_C3"],
      [6, "The line is not a JSON object."],
      [7, "TOKEN_OF_C7"],
    ]);
    expect(stderr).toBe("3 minted, 1 failed, 2 had a token already.\n");
    expect(status).toBe(1);
  });

  test("exits 0 when every row has its token", async () => {
    const rows = lines([rowOf(1)]);
    const first = await cli("--batch", rows);
    api.reset();

    const { status, stdout, stderr } = await cli("--batch", rows, "--resume", file(first.stdout));

    expect(stderr).toBe("0 minted, 0 failed, 1 had a token already.\n");
    expect({ status, stdout, sent: api.sent }).toEqual({ status: 0, stdout: "", sent: [] });
  });

  test("knows the result of a row of 1 MiB, which is longer than that", async () => {
    const start = `{"clientId":"C1","appId":"${appId}","long":"`;
    const rows = lines([
      `${start}${"x".repeat(2 ** 20 - start.length - 2)}"}`,
      `${start}${"x".repeat(2 ** 20)}"}`,
    ]);
    const first = await cli("--batch", rows);
    api.reset();

    const again = await cli("--batch", rows, "--resume", file(first.stdout));

    expect(first.stderr).toBe("1 minted, 1 failed.\n");
    expect(again.stderr).toBe("0 minted, 1 failed, 1 had a token already.\n");
    expect(api.sent).toEqual([]);
  });

  test("takes results that another tool has laid out anew", async () => {
    const { stdout } = await cli(
      "--batch",
      lines([rowOf(1), rowOf(2)]),
      "--resume",
      lines([`{ "line": 1, "clientId": "C1", "appId": "${appId}", "token": "T1" }`]),
    );

    expect(parse(stdout).map(({ line }) => line)).toEqual([2]);
  });

  test("goes on after Ctrl-C with the command that the closing line names", async () => {
    api.answer = (clientId, response) =>
      void (Number(clientId.slice(1)) <= 15 && minting(clientId, response));
    const rows = lines(many(30).trim().split("\n"));
    const results = join(folder, "it's.jsonl");
    writeFileSync(results, `{"line":1,${rowOf(1).slice(1, -1)},"token":"T1"}\n`);
    const child = spawn(process.execPath, [PROGRAM, "generate", "--batch", rows, "--resume", results], {
      env: environment({ COMPLYCUBE_BASE_URL: api.url }),
      stdio: ["ignore", openSync(results, "a"), "pipe"],
    });
    const ended = Promise.all([text(child.stderr as Readable), once(child, "close")]);
    await vi.waitUntil(() => linesOf(readFileSync(results, "utf8")).length === 15, 10_000);
    child.kill("SIGINT");
    const [stderr, [status]] = await ended;
    const command = stderr.match(/To go on: complycube-tokens (.+)\n$/)?.[1] ?? "";
    api.reset();

    const again = await runShell(`cli ${command}`, { COMPLYCUBE_BASE_URL: api.url });

    expect(stderr).toMatch(/^Stopped: 14 minted, 0 failed, 1 had a token already; /);
    expect(status).toBe(130);
    expect(again.stderr).toBe("15 minted, 0 failed, 15 had a token already.\n");
    expect(again.status).toBe(0);
    expect(parse(readFileSync(results, "utf8")).map(({ line, clientId }) => [line, clientId])).toEqual(
      Array.from({ length: 30 }, (_, i) => [i + 1, `C${i + 1}`]),
    );
  });

  test("mints a row again whose result was cut off, and keeps the next result on a line of its own", async () => {
    const rows = lines([rowOf(1), rowOf(2), rowOf(3)]);
    const whole = `{"line":1,${rowOf(1).slice(1, -1)},"token":"T1"}\n`;
    const results = file(`${whole}{"line":2,${rowOf(2).slice(1, -1)},"tok`);

    const { status } = await runShell(`cli generate --batch ${rows} --resume ${results} >> ${results}`, {
      COMPLYCUBE_BASE_URL: api.url,
    });

    const [first, cut, ...more] = linesOf(readFileSync(results, "utf8"));
    expect(status).toBe(0);
    expect(`${first}\n`).toBe(whole);
    expect(cut).toMatch(/"tok$/);
    expect(parse(more.join("\n")).map(({ token }) => token)).toEqual(["TOKEN_OF_C2", "TOKEN_OF_C3"]);
  });

  test("loses nothing that a full disk has cut off: what was written is whole lines", async () => {
    const rows = lines(many(200).trim().split("\n"));
    const results = join(folder, "limited.jsonl");
    const withApi = { COMPLYCUBE_BASE_URL: api.url };

    const full = await runShell(
      `trap '' XFSZ; (ulimit -f 3; cli generate --batch ${rows} > ${results})`,
      withApi,
    );
    const written = readFileSync(results, "utf8");
    const again = await runShell(`cli generate --batch ${rows} --resume ${results} >> ${results}`, withApi);

    expect(full.stderr).toMatch(/^Cannot write the result: EFBIG\.\nStopped: /);
    expect(full.status).toBe(1);
    expect(written.endsWith("\n")).toBe(true);
    expect(parse(written).length).toBeGreaterThan(3);
    expect(again.status).toBe(0);
    expect(parse(readFileSync(results, "utf8")).map(({ line }) => line)).toEqual(
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
  });
});

describe("a file in the wrong place exits 2, and nothing is sent", () => {
  const result = `{"line":1,${rowOf(1).slice(1, -1)},"token":"T1"}`;

  test.each<[string, () => string, string]>([
    [
      "results as --batch",
      () => `--batch ${lines([result])}`,
      'holds the results of a batch: give it to --resume, and the rows that it came from to --batch."',
    ],
    [
      "rows as --resume",
      () => `--batch ${lines([rowOf(1)])} --resume ${lines([rowOf(1)])}`,
      "does not hold the results of a batch: see its line 1. The rows themselves belong to --batch.",
    ],
    [
      "both the wrong way round",
      () => `--batch ${lines([result])} --resume ${lines([rowOf(1)])}`,
      "does not hold the results of a batch",
    ],
    [
      "text as --resume",
      () => `--batch ${lines([rowOf(1)])} --resume ${lines(["nonsense"])}`,
      "does not hold the results of a batch: see its line 1.",
    ],
    [
      "one file as both",
      () => {
        const path = lines([result]);
        return `--batch ${path} --resume ${path}`;
      },
      "--batch takes the rows, and --resume their results: they cannot be one file.",
    ],
    [
      "rows that have moved since",
      () => `--batch ${lines([rowOf(2), rowOf(1)])} --resume ${lines([result])}`,
      "Line 1 of ",
    ],
    [
      "rows that are fewer than before",
      () =>
        `--batch ${lines([rowOf(1)])} --resume ${lines([result, result.replace('"line":1', '"line":7')])}`,
      " ends at line 1, and ",
    ],
    ["no row", () => `--batch ${lines([])}`, " has no rows."],
    ["blank lines", () => `--batch ${lines(["", " "])}`, " has no rows."],
    ["an empty stdin", () => "--batch - < /dev/null", "stdin has no rows."],
    [
      "rows that > has emptied",
      () => {
        const path = lines([rowOf(1)]);
        return `--batch ${path} > ${path}`;
      },
      '" is empty, and the results go there: ">" has emptied it. Restore it',
    ],
    [
      "rows to which the results go",
      () => {
        const path = lines([rowOf(1)]);
        return `--batch ${path} >> ${path}`;
      },
      "The results would go into ",
    ],
    [
      "results that > has emptied",
      () => {
        const path = lines([result]);
        return `--batch ${lines([rowOf(1)])} --resume ${path} > ${path}`;
      },
      'if ">" has emptied it, restore it, and append with ">>".',
    ],
    ["results that are not there", () => `--batch ${lines([rowOf(1)])} --resume ${folder}/no`, "Cannot read"],
  ])("%s", async (_, args, says) => {
    const { status, stdout, stderr } = await runShell(`cli generate ${args()}`, {
      COMPLYCUBE_BASE_URL: api.url,
    });

    expect(stderr).toContain(says.replace(/"$/, ""));
    expect(stderr).toMatch(/^[^\n]+ Try: complycube-tokens generate --help\n$/);
    expect(stdout).toBe("");
    expect(status).toBe(2);
    expect(api.sent).toEqual([]);
  });
});

function start(args: string[], more: Record<string, string> = {}): ChildProcessWithoutNullStreams {
  const child = startCli(["generate", ...args], { COMPLYCUBE_BASE_URL: api.url, ...more });
  running.push(child);
  return child;
}

function cli(...args: string[]) {
  return finished(start(args));
}

let files = 0;
function file(content: string | Uint8Array): string {
  const path = join(folder, `${++files}.jsonl`);
  writeFileSync(path, content);
  return path;
}

function lines(content: string[]): string {
  return file(content.map((line) => `${line}\n`).join(""));
}

function rowOf(number: number): string {
  return `{"clientId":"C${number}","appId":"${appId}"}`;
}

function many(count: number): string {
  return Array.from({ length: count }, (_, i) => `${rowOf(i + 1)}\n`).join("");
}

function linesOf(stdout: string): string[] {
  return stdout.split("\n").filter((line) => line !== "");
}

/** The result lines, in the order of the input. */
function parse(stdout: string): { line: number; [field: string]: unknown }[] {
  return linesOf(stdout)
    .map((line) => JSON.parse(line) as { line: number })
    .toSorted((a, b) => a.line - b.line);
}
