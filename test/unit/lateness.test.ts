import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { latenessTo, newLateness } from "../../src/core/http/lateness.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("Lateness", () => {
  test("is the time beyond the fastest answer on an open connection, whatever came since", () => {
    const { took } = answers();

    const late = [took(300), took(100), took(50), took(60), took(80)];

    expect(late).toEqual([300, 100, 0, 10, 30]);
  });

  test("of a request that was refused or failed is as much, and says nothing of the fastest answer", () => {
    const { took } = answers();

    const late = [took(200), took(200), took(10, false), took(210), took(250, false)];

    expect(late).toEqual([200, 200, 0, 10, 50]);
  });

  test("takes a request that is sent in the moment of the first answer for one on an open connection", () => {
    const { took } = answers();

    const late = [took(300), took(20), took(25)];

    expect(late).toEqual([300, 20, 5]);
  });

  test("is not measured by an answer that the clock says came with its request, or before", () => {
    const { took, lateness } = answers();
    took(300);
    took(0);
    lateness(performance.now() + 1_000, true);

    const late = [took(30), took(40)];

    expect(late).toEqual([30, 10]);
  });

  test("of requests that leave together is not measured by the first of them, which may be late too", () => {
    const { took, lateness } = answers();
    took(300);
    const sentAt = performance.now();

    const late = [1, 2, 3].map(() => {
      vi.advanceTimersByTime(100);
      return lateness(sentAt, true);
    });

    expect(late).toEqual([100, 200, 300]);
  });

  test("knows that a connection which nothing has used for four seconds has to be opened again", () => {
    const { took } = answers();
    took(300);
    vi.advanceTimersByTime(5_000);

    const late = [took(310), took(20), took(30)];

    expect(late).toEqual([310, 20, 10]);
  });

  test("is measured anew after such a pause, because the way to the API may be another", () => {
    const { took } = answers();
    took(300);
    took(20);
    vi.advanceTimersByTime(5_000);

    const late = [took(310), took(120), took(130)];

    expect(late).toEqual([290, 120, 10]);
  });

  test.each([
    [4_000, "open", [310, 10]],
    [4_001, "closed", [310, 320]],
  ])("takes a connection that was idle for %i ms for %s", (idleMs, _, expected) => {
    const { took } = answers();
    took(300);
    vi.advanceTimersByTime(idleMs);

    const late = [took(310), took(320)];

    expect(late).toEqual(expected);
  });

  test("is known to all clients of one API together", () => {
    expect(latenessTo("https://a.example.com")).toBe(latenessTo("https://a.example.com"));
    expect(latenessTo("https://a.example.com")).not.toBe(latenessTo("https://b.example.com"));
  });

  test("is a second at most, and never less than nothing", () => {
    const { took } = answers();

    const late = [took(30_000), took(100), took(40), took(30_000)];

    expect(late).toEqual([1_000, 100, 0, 1_000]);
  });
});

/** An estimate, and a way to let one request after the other take so long, which returns how late each may have left. */
function answers() {
  const lateness = newLateness();
  const took = (ms: number, succeeded = true) => {
    const sentAt = performance.now();
    vi.advanceTimersByTime(ms);
    return lateness(sentAt, succeeded);
  };
  return { lateness, took };
}
