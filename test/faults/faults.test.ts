import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AttemptEvent } from "../../src/index.ts";
import { watchedClientOf } from "../support/fault-client.ts";
import { answer, closedPort, startFaultServer } from "../support/fault-server.ts";
import { KEY, leaks, TOKEN } from "../support/leak-scan.ts";
import { settle } from "../support/settle.ts";
import { scenarios } from "./scenarios/index.ts";
import { MINTED, type Outcome, type Scenario } from "./scenarios/scenario.ts";
import { transports } from "./transports.ts";

const FIELDS = [
  "name",
  "code",
  "attempts",
  "status",
  "type",
  "param",
  "requestId",
  "retryAfterMs",
  "timeoutMs",
  "body",
] as const;
/** What a loaded machine may add to any wait, however short. */
const SLACK_MS = 10_000;

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.001); // Hardly any backoff.
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(transports)("generate over $name", ({ name, fetch }) => {
  for (const [group, members] of Object.entries(scenarios)) {
    describe(group, () => {
      test.each(members)("$title", async (scenario) => {
        const outcome = scenario.outcomeOver?.[name] ?? scenario.outcome;

        const seen = await run(scenario, fetch);

        expectOutcome(seen.settled, outcome);
        expect(seen.requests, "requests that reached the server").toBe(scenario.requests ?? outcome.attempts);
        expect(seen.requestsElsewhere, "requests that reached another host").toBe(0);
        expect(seen.elapsedMs, "time").toBeGreaterThanOrEqual(scenario.atLeastMs ?? 0);
        expect(seen.elapsedMs, "time").toBeLessThan(longestMs(scenario, outcome));
        expectEvents(seen.events, outcome);
        expect(leaks(seen.events, [KEY, TOKEN]), "leaks").toEqual([]);
      });
    });
  }
});

test("there are at least 60 scenarios, each with a title of its own", () => {
  const titles = Object.values(scenarios).flatMap((members) => members.map(({ title }) => title));

  expect(titles.length).toBeGreaterThanOrEqual(60);
  expect(new Set(titles).size).toBe(titles.length);
});

type Settled = { token?: string; error?: unknown };

async function run(scenario: Scenario, fetch: (typeof transports)[number]["fetch"]) {
  const elsewhere = await startFaultServer({ steps: [answer(200, MINTED)] });
  const server = await startFaultServer({
    steps: scenario.steps(elsewhere.url),
    onConnection: scenario.onConnection,
  });
  const { complycube, events } = watchedClientOf(scenario.refused ? { url: await closedPort() } : server, {
    timeoutMs: scenario.timeoutMs ?? 5_000,
    maxRetries: scenario.maxRetries ?? 1,
    fetch,
  });
  const startedAt = performance.now();
  const settled = await settle(complycube);
  const elapsedMs = performance.now() - startedAt;
  // No answer that was given up holds its socket.
  await vi.waitFor(() => expect(server.busy(), "sockets still in use").toBe(0), SLACK_MS);
  return {
    settled,
    elapsedMs,
    events,
    requests: server.received.length,
    requestsElsewhere: elsewhere.received.length,
  };
}

function expectOutcome({ token, error }: Settled, outcome: Outcome): void {
  expect(token).toBe(outcome.token);
  if (outcome.token !== undefined) return;
  expect(error).toBeInstanceOf(Error);
  for (const field of FIELDS)
    expect((error as Record<string, unknown>)[field], field).toEqual(outcome[field]);
  expect((error as Error).message).not.toBe("");
}

function expectEvents(events: AttemptEvent[], outcome: Outcome): void {
  expect(events.map(({ attempt }) => attempt)).toEqual(
    Array.from({ length: outcome.attempts }, (_, i) => i + 1),
  );
  const last = events.at(-1);
  expect(last?.errorCode).toBe(outcome.code);
  expect(last?.requestId).toBe(outcome.requestId);
  expect(last?.retryInMs).toBeUndefined();
  if (outcome.status !== undefined) expect(last?.status).toBe(outcome.status);
  for (const event of events.slice(0, -1)) expect(event.retryInMs).toBeGreaterThanOrEqual(0);
}

function longestMs({ timeoutMs = 5_000, atLeastMs = 0 }: Scenario, { attempts }: Outcome): number {
  return attempts * timeoutMs + atLeastMs + SLACK_MS;
}
