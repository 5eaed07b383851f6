import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Lateness } from "../../src/core/limit/lateness.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("Lateness", () => {
  test("is what opening a connection costs: the time beyond the fastest answer on an open one", () => {
    const { send } = requests();
    const first = send();
    vi.advanceTimersByTime(300);
    const lateOfFirst = first();
    const onOpenOne = [100, 50, 60].map((ms) => one(send, ms));
    const [second, third] = [send(), send()]; // One more than are open.
    vi.advanceTimersByTime(350);

    const late = [second(), third()];

    expect(lateOfFirst).toBe(300);
    expect(onOpenOne).toEqual([0, 0, 0]);
    expect(late).toEqual([300, 300]);
  });

  test("an API that is slow at times makes nothing late", () => {
    const { send } = requests();
    one(send, 300);

    const late = [100, 900, 2_000, 150, 700].map((ms) => one(send, ms));

    expect(late).toEqual([0, 0, 0, 0, 0]);
  });

  test("a request that leaves with the first answer goes over its connection", () => {
    const { send } = requests();
    const first = send();
    vi.advanceTimersByTime(300);
    first();

    const late = one(send, 500);

    expect(late).toBe(0);
  });

  test.each([
    [4_000, 0],
    [4_001, 280],
  ])("a connection that nothing has used for %i ms: %i ms late", (idleMs, expected) => {
    const { send } = requests();
    one(send, 300);
    vi.advanceTimersByTime(1);
    one(send, 20);
    vi.advanceTimersByTime(idleMs - 20);

    const late = one(send, 300);

    expect(late).toBe(expected);
  });

  test("those of several connections that are not used for long have to be opened again", () => {
    const { send } = requests();
    const burst = [send(), send(), send()];
    vi.advanceTimersByTime(300);
    for (const settle of burst) settle();
    for (let i = 0; i < 60; i++) one(send, 100);
    const [first, second] = [send(), send()];
    vi.advanceTimersByTime(400);

    const late = [first(), second()];

    expect(late).toEqual([300, 300]);
  });

  test("is a second at most, and a failure teaches nothing", () => {
    const { send } = requests();
    one(send, 300);
    one(send, 100);
    const failed = send();
    vi.advanceTimersByTime(1);
    failed(false);
    const [first, second] = [send(), send()];
    vi.advanceTimersByTime(300);
    const late = [first(), second()];
    vi.advanceTimersByTime(5_000);

    expect([...late, one(send, 30_000)]).toEqual([200, 200, 1_000]);
  });

  test("a failure that nobody counted as sent is none too many", () => {
    const { lateness, send } = requests();
    for (let i = 0; i < 5; i++) lateness.settled(performance.now(), false);

    expect(one(send, 300)).toBe(300);
  });
});

function requests() {
  const lateness = new Lateness();
  /** Lets a request leave, and returns what says how late it was once it has settled. */
  const send = () => {
    const sentAt = performance.now();
    lateness.sent();
    return (answered = true) => lateness.settled(sentAt, answered);
  };
  return { lateness, send };
}

function one(send: ReturnType<typeof requests>["send"], ms: number): number {
  const settle = send();
  vi.advanceTimersByTime(ms);
  return settle();
}
