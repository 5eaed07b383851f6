import { answer, bytes, json } from "../../support/fault-server.ts";
import { KEY, TOKEN } from "../../support/leak-scan.ts";
import { apiFailure, MINTED, noAnswer, notAToken, REFUSAL, refusal, type Scenario } from "./scenario.ts";

const RETRIED = [408, 429, 500, 502, 503, 504];
const DOCUMENTED = [400, 401, 402, 403, 404, 413, 422, 429, 500];
const UNDOCUMENTED = [
  305, 306, 399, 405, 406, 408, 409, 410, 411, 412, 414, 415, 416, 417, 418, 423, 424, 425, 426, 428, 431,
  451, 499, 501, 502, 503, 504, 505, 507, 511, 520, 529, 599,
];

/** Each status with the API's own body: its class, and whether it is tried again. */
export const statusScenarios: Scenario[] = [
  ...[...DOCUMENTED, ...UNDOCUMENTED].map((status) => ({
    title: `${status}, ${DOCUMENTED.includes(status) ? "documented" : "undocumented"}`,
    steps: () => [json(status, REFUSAL)],
    outcome: refusal(status, { attempts: RETRIED.includes(status) ? 2 : 1 }),
  })),
  {
    title: "407, which the fetch standard calls a network error",
    steps: () => [json(407, REFUSAL)],
    maxRetries: 0,
    outcome: refusal(407),
    outcomeOver: { "global fetch": noAnswer(1) },
  },
  ...["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray", "X-Request-ID"].flatMap(
    (name) => [
      {
        title: `400 with its id in ${name}`,
        steps: () => [json(400, REFUSAL, { [name]: "req_123" })],
        outcome: refusal(400, { requestId: "req_123" }),
      },
      {
        title: `200 without a token, with its id in ${name}`,
        steps: () => [answer(200, "", { [name]: "req_123" })],
        outcome: notAToken(200, { requestId: "req_123" }),
      },
    ],
  ),
  {
    title: "an id in two headers",
    steps: () => [json(400, REFUSAL, { "cf-ray": "ray", "x-request-id": "req_123" })],
    outcome: refusal(400, { requestId: "req_123" }),
  },
  {
    title: "a header sent twice",
    steps: () => [
      bytes("HTTP/1.1 400 Reason\r\nx-request-id: one\r\nx-request-id: two\r\ncontent-length: 0\r\n\r\n"),
    ],
    outcome: apiFailure(400, { requestId: "one, two" }),
  },
  {
    title: "an empty id next to another",
    steps: () => [json(400, REFUSAL, { "x-request-id": "", "cf-ray": "ray" })],
    outcome: refusal(400, { requestId: "ray" }),
  },
  {
    title: "the key echoed as the id of a 400",
    steps: () => [json(400, REFUSAL, { "x-request-id": `for ${KEY}`, "x-echo": KEY })],
    outcome: refusal(400, { requestId: "for [redacted]" }),
  },
  {
    title: "the key and a token echoed as the id of a 200 without a token",
    steps: () => [answer(200, "", { "x-request-id": `${KEY} ${TOKEN}` })],
    outcome: notAToken(200, { requestId: "[redacted] [redacted]" }),
  },
  {
    title: "a 400 that says it is a success",
    steps: () => [answer("400 OK", MINTED, { "content-type": "application/json" })],
    outcome: apiFailure(400, { body: { token: "[redacted]" } }),
  },
];
