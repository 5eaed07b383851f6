import { all, answer, bytes, hangUp, head, reset } from "../../support/fault-server.ts";
import { KEY } from "../../support/leak-scan.ts";
import { MINTED, noAnswer, type Scenario, token } from "./scenario.ts";

const declared = { "content-length": String(MINTED.length) };

/** Connections that are refused, or broken before the head of the answer is complete. */
export const connectionScenarios: Scenario[] = [
  { title: "nothing listens", refused: true, steps: () => [], outcome: noAnswer(), requests: 0 },
  {
    title: "closed as soon as it is accepted",
    onConnection: (socket) => socket.destroy(),
    steps: () => [],
    outcome: noAnswer(),
    requests: 0,
  },
  {
    title: "reset as soon as it is accepted",
    onConnection: (socket) => socket.resetAndDestroy(),
    steps: () => [],
    outcome: noAnswer(),
    requests: 0,
  },
  { title: "closed before the first byte", steps: () => [hangUp], outcome: noAnswer() },
  { title: "reset before the first byte", steps: () => [reset], outcome: noAnswer() },
  { title: "half a status line", steps: () => [all(bytes("HTTP/1.1 20"), hangUp)], outcome: noAnswer() },
  {
    title: "closed among the headers",
    steps: () => [all(bytes("HTTP/1.1 200 OK\r\ncontent-type: appl"), hangUp)],
    outcome: noAnswer(),
  },
  {
    title: "reset among the headers",
    steps: () => [all(bytes("HTTP/1.1 200 OK\r\ncontent-le"), reset)],
    outcome: noAnswer(),
  },
  {
    title: "closed after the last header and before the empty line",
    steps: () => [all(bytes("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n"), hangUp)],
    outcome: noAnswer(),
  },
  {
    title: "garbage instead of HTTP",
    steps: () => [all(bytes(Buffer.from([0, 1, 2, 255, 254, 13, 10, 13, 10])), hangUp)],
    outcome: noAnswer(),
  },
  {
    title: "the request echoed instead of an answer, with the key in it",
    steps: () => [all(bytes(`POST /v1/tokens HTTP/1.1\r\nauthorization: ${KEY}\r\n\r\n`), hangUp)],
    outcome: noAnswer(),
  },
  {
    title: "another protocol's greeting",
    steps: () => [all(bytes("SSH-2.0-OpenSSH_9.6\r\n"), hangUp)],
    outcome: noAnswer(),
  },
  {
    title: "a TLS alert",
    steps: () => [all(bytes(Buffer.from([21, 3, 1, 0, 2, 2, 40])), hangUp)],
    outcome: noAnswer(),
  },
  {
    title: "a status that is not a number",
    steps: () => [all(bytes(head("OK Fine", declared), MINTED), hangUp)],
    outcome: noAnswer(),
  },
  {
    title: "a header without a colon",
    steps: () => [all(bytes("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"), hangUp)],
    outcome: noAnswer(),
  },
  {
    title: "headers without end",
    steps: () => [
      all(bytes("HTTP/1.1 200 OK\r\n", `x-filler: ${"x".repeat(100)}\r\n`.repeat(2_000)), hangUp),
    ],
    outcome: noAnswer(),
  },
  {
    title: "a content-length that is not a number",
    steps: () => [all(bytes(head(200, { "content-length": "many" }), MINTED), hangUp)],
    outcome: noAnswer(),
  },
  {
    title: "a negative content-length",
    steps: () => [all(bytes(head(200, { "content-length": "-1" }), MINTED), hangUp)],
    outcome: noAnswer(),
  },
  {
    title: "two content-lengths that contradict each other",
    steps: () => [
      all(bytes("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n123456"), hangUp),
    ],
    outcome: noAnswer(),
  },
  {
    title: "a content-length next to a chunked body",
    steps: () => [
      all(bytes(head(200, { "content-length": "5", "transfer-encoding": "chunked" }), "0\r\n\r\n"), hangUp),
    ],
    outcome: noAnswer(),
  },
  {
    title: "a switch to another protocol",
    steps: () => [
      all(bytes(head("101 Switching Protocols", { connection: "upgrade", upgrade: "h2c" })), hangUp),
    ],
    outcome: noAnswer(),
  },
  {
    title: "a 100 that nobody asked for, which the global fetch calls a bad response",
    steps: () => [all(bytes(head("100 Continue"), head(200, declared), MINTED), hangUp)],
    outcome: token(),
    outcomeOver: { "global fetch": noAnswer() },
  },
  {
    title: "an interim answer, and no other",
    steps: () => [all(bytes(head("102 Processing")), hangUp)],
    outcome: noAnswer(),
  },
  {
    title: "broken twice, then a token",
    steps: () => [reset, all(bytes("HTTP/1.1 20"), hangUp), answer(200, MINTED)],
    maxRetries: 2,
    outcome: token(3),
  },
];
