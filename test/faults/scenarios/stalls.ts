import { gzipSync } from "node:zlib";
import { all, answer, bytes, chunk, drip, head, json, stall } from "../../support/fault-server.ts";
import { apiFailure, MINTED, noAnswer, REFUSAL, type Scenario, token, tooLate } from "./scenario.ts";

const timeoutMs = 250;
const maxRetries = 0;
const outcome = tooLate(timeoutMs);
const declared = { "content-length": "1000" };
const inChunks = { "transfer-encoding": "chunked" };

const stalls: Scenario[] = [
  {
    title: "accepts and never reads",
    onConnection: (socket) => socket.pause(),
    steps: () => [],
    outcome,
    requests: 0,
  },
  { title: "never answers", steps: () => [stall], outcome },
  { title: "stalls within the status line", steps: () => [all(bytes("HTTP/1.1 2"), stall)], outcome },
  {
    title: "stalls among the headers",
    steps: () => [all(bytes("HTTP/1.1 200 OK\r\nx-a: b\r\n"), stall)],
    outcome,
  },
  {
    title: "stalls before the body of a 200",
    steps: () => [all(bytes(head(200, declared)), stall)],
    outcome,
  },
  {
    title: "stalls before the body of a 400",
    steps: () => [all(bytes(head(400, declared)), stall)],
    outcome,
  },
  {
    title: "stalls in the body of a 200",
    steps: () => [all(bytes(head(200, declared), MINTED), stall)],
    outcome,
  },
  {
    title: "stalls in the body of a 500",
    steps: () => [all(bytes(head(500, declared), JSON.stringify(REFUSAL)), stall)],
    outcome,
  },
  {
    title: "stalls between the chunks of a 200",
    steps: () => [all(bytes(head(200, inChunks), chunk(MINTED.slice(0, 9))), stall)],
    outcome,
  },
  {
    title: "stalls between the chunks of a 429",
    steps: () => [all(bytes(head(429, inChunks), chunk('{"type":')), stall)],
    outcome,
  },
  {
    title: "stalls before the last, empty chunk, the token being there",
    steps: () => [all(bytes(head(200, inChunks), chunk(MINTED)), stall)],
    outcome,
  },
  {
    title: "stalls in the trailers",
    steps: () => [all(bytes(head(200, inChunks), chunk(MINTED), "0\r\nx-trailer: a"), stall)],
    outcome,
  },
  {
    title: "never closes a body that only the close would end",
    steps: () => [all(bytes(head(200, { connection: "close" }), MINTED), stall)],
    outcome,
  },
  {
    title: "stalls in a compressed body",
    steps: () => [
      all(
        bytes(head(200, { ...declared, "content-encoding": "gzip" }), gzipSync(MINTED).subarray(0, 20)),
        stall,
      ),
    ],
    outcome,
  },
  { title: "drips its status line", steps: () => [drip("H")], outcome: noAnswer(1) },
  { title: "drips headers", steps: () => [all(bytes("HTTP/1.1 200 OK\r\n"), drip("x-a: b\r\n"))], outcome },
  { title: "drips 1xx answers", steps: () => [drip(head("102 Processing"))], outcome },
  {
    title: "drips the body of a 200 in chunks",
    steps: () => [all(bytes(head(200, inChunks)), drip(chunk(" ")))],
    outcome,
  },
  {
    title: "drips the body of a 200 of a declared length",
    steps: () => [all(bytes(head(200, { "content-length": "100000" })), drip(" "))],
    outcome,
  },
  {
    title: "drips the body of a 400",
    steps: () => [all(bytes(head(400, inChunks)), drip(chunk(" ")))],
    outcome,
  },
  {
    title: "drips the body of a 503 of a declared length",
    steps: () => [all(bytes(head(503, { "content-length": "100000" })), drip(" "))],
    outcome,
  },
  { title: "stalls on every attempt", steps: () => [stall], maxRetries: 1, outcome: tooLate(timeoutMs, 2) },
];

/** Answers that stop or crawl, at each stage; only a deadline over the whole attempt ends them. */
export const stallScenarios = stalls.map((scenario) => ({ timeoutMs, maxRetries, ...scenario }));

/** Answers that need not be waited for to the end, and slow ones that arrive. */
export const patienceScenarios: Scenario[] = [
  {
    title: "a redirect whose body never ends",
    steps: () => [all(bytes(head(302, { ...inChunks, location: "/" })), drip(chunk("x".repeat(1_000))))],
    maxRetries: 0,
    outcome: noAnswer(1),
  },
  {
    title: "an error body over 1 MiB that never ends",
    steps: () => [all(bytes(head(400, inChunks), chunk("x".repeat(1_100_000))), stall)],
    outcome: apiFailure(400),
  },
  {
    title: "a slow answer within the time allowed",
    steps: () => [
      async (socket) => {
        const text = `${head(200, { "content-length": String(MINTED.length) })}${MINTED}`;
        for (let at = 0; at < text.length; at += 10) {
          socket.write(text.slice(at, at + 10));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      },
    ],
    outcome: token(),
  },
  {
    title: "slow, then fast",
    steps: () => [stall, answer(200, MINTED)],
    timeoutMs: 1_000,
    outcome: token(2),
  },
  {
    title: "slow, broken, refused, then a token",
    steps: () => [stall, (socket) => void socket.destroy(), json(503, REFUSAL), answer(200, MINTED)],
    timeoutMs: 1_000,
    maxRetries: 3,
    outcome: token(4),
  },
];
