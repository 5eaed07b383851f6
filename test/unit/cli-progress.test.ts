import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startProgress } from "../../src/cli/output.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

describe("startProgress", () => {
  beforeEach(() => void vi.stubEnv("TERM", "xterm"));

  test("draws a bar with rate and time left on a terminal", async () => {
    const { stream, written } = output(true);
    const progress = startProgress(stream, 40);

    for (let i = 0; i < 20; i++) {
      progress.advance(i === 0);
      await vi.advanceTimersByTimeAsync(100);
    }
    const half = written();
    progress.stop();

    expect(stripVTControlCharacters(half)).toMatch(/[=-]{20} \d+\/40 done, 1 failed, \d+\.\d\/s, \d+ s left/);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("counts where the total is not known", async () => {
    const { stream, written } = output(true);
    const progress = startProgress(stream, undefined);

    progress.advance(false);
    await vi.advanceTimersByTimeAsync(1_000);
    progress.stop();

    expect(written()).toMatch(/1 done, 0 failed, \d+\.\d\/s/);
    expect(written()).not.toContain("left");
  });

  test("writes a note above the bar, and after its end no bar any more", () => {
    const { stream, written } = output(true);
    const progress = startProgress(stream, 40);
    const drawn = (text: string) => text.match(/[=-]{20}/g)?.length ?? 0;

    progress.note("Warning.");
    const withBar = written();
    progress.stop();
    const stopped = written();
    progress.note("Done.");

    expect(drawn(withBar.slice(withBar.indexOf("Warning.\n")))).toBe(1);
    expect(written().slice(stopped.length)).toBe("Done.\n");
  });

  test.each([
    ["a terminal that the results come out on too", true, "xterm"],
    ["a terminal that cannot move its cursor", false, "dumb"],
  ])("draws no bar on %s", (_, isShared, term) => {
    vi.stubEnv("TERM", term);
    const { stream, written } = output(true);
    const progress = startProgress(stream, 40, isShared);

    progress.advance(false);
    progress.note("Done.");
    progress.stop();

    expect(written()).toBe("Done.\n");
  });

  test("writes a plain line every ten seconds elsewhere", async () => {
    const { stream, written } = output(false);
    const progress = startProgress(stream, 400);

    for (let i = 0; i < 250; i++) {
      await vi.advanceTimersByTimeAsync(100);
      progress.advance(false);
    }
    progress.note("Done.");
    progress.stop();

    expect(written()).toBe(
      "100/400 done, 0 failed, 10.0/s, 30 s left\n200/400 done, 0 failed, 10.0/s, 20 s left\nDone.\n",
    );
  });
});

function output(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 100 }) as unknown as NodeJS.WriteStream;
  let text = "";
  stream.on("data", (chunk) => {
    text += String(chunk);
  });
  return { stream, written: () => text };
}
