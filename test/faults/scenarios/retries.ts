import { answer, hangUp, json, reset, type Step } from "../../support/fault-server.ts";
import { MINTED, noAnswer, notAToken, REFUSAL, refusal, type Scenario, token } from "./scenario.ts";

const minted = answer(200, MINTED);
const busy = (headers: Record<string, string>, status = 429) => json(status, REFUSAL, headers);
const date = (ms: number) => new Date(ms).toUTCString();
const NOON = Date.UTC(2026, 0, 1, 12);

/** A wait that is asked for: the second attempt comes no sooner. */
const waits: [string, Step, number][] = [
  ["retry-after: 0", busy({ "retry-after": "0" }), 0],
  ["retry-after: 1", busy({ "retry-after": "1" }), 1_000],
  ["retry-after: 1 on a 503", busy({ "retry-after": "1" }, 503), 1_000],
  ["retry-after: 0.2", busy({ "retry-after": "0.2" }), 200],
  [
    "a date one second after the server's own",
    busy({ date: date(NOON), "retry-after": date(NOON + 1_000) }),
    1_000,
  ],
  ["a date in the past", busy({ date: date(NOON), "retry-after": date(NOON - 60_000) }), 0],
];

/** A wait that cannot be read: the usual backoff. */
const unreadable = [
  "-5",
  "soon",
  "1e3",
  "",
  "0x10",
  "1 2",
  "NaN",
  "Infinity",
  "Thu, 99 Foo 2026 25:00:00 GMT",
];

/** A wait over 60 s: the call fails at once and says how long. */
const tooLong: [string, Step, number, number][] = [
  ["retry-after: 120 on a 429", busy({ "retry-after": "120" }), 429, 120_000],
  ["retry-after: 120 on a 503", busy({ "retry-after": "120" }, 503), 503, 120_000],
  ["retry-after: 120 on a 500", busy({ "retry-after": "120" }, 500), 500, 120_000],
  ["retry-after: 61", busy({ "retry-after": "61" }), 429, 61_000],
  ["retry-after: 60.001", busy({ "retry-after": "60.001" }), 429, 60_001],
  [
    "a date an hour after the server's own",
    busy({ date: date(NOON), "retry-after": date(NOON + 3_600_000) }),
    429,
    3_600_000,
  ],
  ["retry-after of 20 digits", busy({ "retry-after": "9".repeat(20) }), 429, Number.MAX_SAFE_INTEGER],
  ["retry-after of 400 digits", busy({ "retry-after": "9".repeat(400) }, 503), 503, Number.MAX_SAFE_INTEGER],
];

/** Sequences of faults, and how long to wait between them. */
export const retryScenarios: Scenario[] = [
  ...waits.map(([what, step, ms]) => ({
    title: `waits for ${what}`,
    steps: () => [step, minted],
    outcome: token(2),
    atLeastMs: ms,
  })),
  ...unreadable.map((value) => ({
    title: `does not wait for retry-after: ${JSON.stringify(value)}`,
    steps: () => [busy({ "retry-after": value }), minted],
    outcome: token(2),
  })),
  ...tooLong.map(([what, step, status, retryAfterMs]) => ({
    title: `fails at once for ${what}`,
    steps: () => [step, minted],
    outcome: refusal(status, { retryAfterMs }),
  })),
  {
    title: "tells the wait that came with a 400, and does not retry",
    steps: () => [busy({ "retry-after": "1" }, 400), minted],
    outcome: refusal(400, { retryAfterMs: 1_000 }),
  },
  {
    title: "tells the wait that came with the last 429",
    steps: () => [busy({ "retry-after": "0" }), busy({ "retry-after": "7" })],
    outcome: refusal(429, { retryAfterMs: 7_000, attempts: 2 }),
  },
  {
    title: "maxRetries 0 after a 503",
    steps: () => [busy({}, 503), minted],
    maxRetries: 0,
    outcome: refusal(503),
  },
  { title: "maxRetries 0 after a reset", steps: () => [reset, minted], maxRetries: 0, outcome: noAnswer(1) },
  { title: "500, then a token", steps: () => [busy({}, 500), minted], outcome: token(2) },
  {
    title: "408, 502, 504, then a token",
    steps: () => [busy({}, 408), busy({}, 502), busy({}, 504), minted],
    maxRetries: 3,
    outcome: token(4),
  },
  {
    title: "a token at the very last attempt",
    steps: () => [reset, busy({}, 500), minted],
    maxRetries: 2,
    outcome: token(3),
  },
  {
    title: "a token one attempt too late",
    steps: () => [reset, busy({}, 500), hangUp, minted],
    maxRetries: 2,
    outcome: noAnswer(3),
  },
  {
    title: "alternating faults to the end",
    steps: () => [reset, busy({}, 503), hangUp, busy({}, 502)],
    maxRetries: 3,
    outcome: refusal(502, { attempts: 4 }),
  },
  {
    title: "500, then a refusal that is final",
    steps: () => [busy({}, 500), json(401, REFUSAL), minted],
    maxRetries: 2,
    outcome: refusal(401, { attempts: 2 }),
  },
  {
    title: "500, then a 200 without a token",
    steps: () => [busy({}, 500), json(200, {}), minted],
    maxRetries: 2,
    outcome: notAToken(200, { attempts: 2 }),
  },
  {
    title: "the same fault five times, then a token",
    steps: () => [...Array.from({ length: 5 }, () => reset), minted],
    maxRetries: 5,
    outcome: token(6),
  },
];
