import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { environment, PROGRAM, startCli } from "../support/cli.ts";
import { mintingApi } from "../support/minting-api.ts";

const appId = "com.example.app";
const folder = mkdtempSync(join(tmpdir(), "complycube-batch-faults-"));
let api: Awaited<ReturnType<typeof mintingApi>>;

beforeAll(async () => {
  api = await mintingApi();
});
afterEach(() => api.reset());
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

describe("generate --batch", () => {
  test("killed 50 times at random moments and resumed, it loses no row and doubles none", {
    timeout: 300_000,
  }, async () => {
    const KILLS = 50;
    const IN_FLIGHT = 16;
    const ROWS = 3_000;
    const rows = join(folder, "clients.jsonl");
    const results = join(folder, "results.jsonl");
    const row = (number: number) => `{"clientId":"C${number}","appId":"${appId}","amount":${number}.10}`;
    writeFileSync(rows, Array.from({ length: ROWS }, (_, i) => `${row(i + 1)}\n`).join(""));
    writeFileSync(results, "");
    const numbersWritten = () =>
      [...readFileSync(results, "utf8").matchAll(/^\{"line":(\d+),.*"token":"TOKEN_OF_C\1"\}$/gm)].map(
        ([, n]) => Number(n),
      );
    const run = () => {
      const resume = readFileSync(results).length === 0 ? [] : ["--resume", results];
      return spawn(process.execPath, [PROGRAM, "generate", "--batch", rows, ...resume], {
        env: environment({ COMPLYCUBE_BASE_URL: api.url }),
        stdio: ["ignore", openSync(results, "a"), "ignore"],
      });
    };
    api.answer = async (clientId, response) => {
      await delay(5);
      response.end(JSON.stringify({ token: `TOKEN_OF_${clientId}` }));
    };
    let sentAgain = 0;
    let kills = 0;

    for (let status: number | null = null; status === null; ) {
      const written = new Set(numbersWritten().map((number) => `C${number}`));
      api.sent = [];
      const child = run();
      const ended = once(child, "close");
      if (kills < KILLS) {
        while (api.sent.length === 0 && child.exitCode === null) await delay(1);
        await delay(Math.random() * 30);
        if (child.kill("SIGKILL")) kills++;
      }
      [status] = await ended;
      expect(api.sent.filter((clientId) => written.has(clientId))).toEqual([]);
      sentAgain += api.sent.length;
    }

    const lines = readFileSync(results, "utf8").split("\n").filter(Boolean);
    expect(kills).toBe(KILLS);
    expect(numbersWritten().toSorted((a, b) => a - b)).toEqual(Array.from({ length: ROWS }, (_, i) => i + 1));
    for (const number of [1, ROWS])
      expect(lines).toContain(`{"line":${number},${row(number).slice(1, -1)},"token":"TOKEN_OF_C${number}"}`);
    // What was in flight when it was killed is sent again, and no more than that.
    expect(sentAgain - ROWS).toBeLessThanOrEqual(KILLS * IN_FLIGHT);
  });

  test("100,000 rows with every oddity end with one whole result each, in constant memory", {
    timeout: 300_000,
  }, async () => {
    const ROWS = 100_000;
    const rows = join(folder, "odd.jsonl");
    const file = createWriteStream(rows);
    for (let number = 1; number <= ROWS; number++) {
      if (!file.write(oddLine(number))) await once(file, "drain");
    }
    await once(file.end(), "close");
    // Less than the rows themselves take, so that one that kept them would end.
    const NODE_OPTIONS = "--max-old-space-size=24 --max-semi-space-size=1";
    const child = startCli(["generate", "--batch", rows], { COMPLYCUBE_BASE_URL: api.url, NODE_OPTIONS });
    const heldKiB: number[] = [];
    let asked = 0;
    api.answer = (clientId, response) => {
      if (++asked % 5_000 === 0) heldKiB.push(residentKiB(child.pid));
      api.sent = [];
      if (asked % 1_000 === 0) response.writeHead(400);
      response.end(JSON.stringify({ token: `TOKEN_OF_${clientId}` }));
    };
    const wholeResults = new Map<number, number>();
    const reading = (async () => {
      for await (const line of linesOf(child.stdout)) {
        const result = JSON.parse(line) as { line: number; token?: string; error?: object };
        expect((result.token === undefined) !== (result.error === undefined)).toBe(true);
        wholeResults.set(result.line, (wholeResults.get(result.line) ?? 0) + 1);
      }
    })();

    const [status] = await once(child, "close");
    await reading;

    expect(status).toBe(1); // Some rows are wrong, and some are refused.
    expect(wholeResults.size).toBe(ROWS);
    expect(new Set(wholeResults.values())).toEqual(new Set([1]));
    const [first = 0, ...later] = heldKiB;
    expect(later.length).toBeGreaterThan(3);
    expect(Math.max(...later) - first).toBeLessThan(40_000);
  });
});

/** A line of each kind that a file of rows has been seen to hold, and its line break. */
function oddLine(number: number): string | Buffer {
  const row = (more: string) => `{"clientId":"C${number}","appId":"${appId}"${more}}`;
  const kinds: (() => string | Buffer)[] = [
    () => `${row("")}\n`,
    () => `${row(',"customer":9007199254740993,"amount":1.10,"big":1e400')}\n`,
    () => `${row(',"text":"a\u2028b\u2029c\u0085d"')}\n`,
    () => `${row(',"text":"\u009b31m\u202e\u007f"')}\r\n`,
    () => `\uFEFF${row("")}\n`,
    () => `  ${row(',"half":"\\ud800"')}\t\r\n`,
    () => Buffer.concat([Buffer.from('{"clientId":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}\n')]),
    () => Buffer.from(`{"clientId":"\xe9"}\n`, "latin1"),
    () => `${row("")}\0\n`,
    () => "nonsense\n",
    () => "[1]\n",
    () => "null\n",
    () => "{}\n",
    () => `${row(',"token":"OLD"')}\n`,
    () => `${row(',"line":"2"')}\n`,
    () => `${row(',"referrer":"https://www.example.com/*"')}\n`,
    () => `{"clientId":null,"appId":"${appId}"}\n`,
    () =>
      number % 5_000 === 17
        ? `{"clientId":"${"x".repeat(3_000_000)}"}\n`
        : `${row(`,"long":"${"x".repeat(5_000)}"`)}\n`,
  ];
  return (kinds[number % kinds.length] as () => string | Buffer)();
}

/** Not with readline, which splits at U+2028 too. */
async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    const end = chunk.lastIndexOf("\n") + 1;
    const whole = Buffer.concat([rest, chunk.subarray(0, end)]).toString();
    if (end > 0) yield* whole.split("\n").slice(0, -1);
    rest = end > 0 ? Buffer.from(chunk.subarray(end)) : Buffer.concat([rest, chunk]);
  }
  if (rest.length > 0) yield rest.toString();
}

function residentKiB(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}
