import { gzipSync } from "node:zlib";
import {
  all,
  answer,
  bytes,
  chunk,
  chunked,
  hangUp,
  head,
  json,
  reset,
  type Step,
} from "../../support/fault-server.ts";
import { KEY, TOKEN } from "../../support/leak-scan.ts";
import { apiFailure, MINTED, type Outcome, REFUSAL, type Scenario } from "./scenario.ts";

const MIB = 1024 * 1024;
const gzip = { "content-encoding": "gzip" };
const HTML = "<html><h1>Bad Gateway</h1></html>";
const refused = { type: "invalid_request", param: "clientId", body: REFUSAL };
const hidden = "[redacted]";

/** Bodies of a 4xx or 5xx: the status alone decides the class, whatever the body says or fails to say. */
const bodies: [string, (status: number) => Step, Partial<Outcome>][] = [
  ["the API's own body", (status) => json(status, REFUSAL), refused],
  ["HTML", (status) => answer(status, HTML, { "content-type": "text/html" }), { body: HTML }],
  ["nothing", (status) => answer(status), {}],
  ["nothing, chunked", (status) => chunked(status, []), {}],
  ["plain text", (status) => answer(status, "upstream failed"), { body: "upstream failed" }],
  ["null", (status) => json(status, null), { body: null }],
  ["an array", (status) => json(status, [1, "two"]), { body: [1, "two"] }],
  ["a number", (status) => json(status, 42), { body: 42 }],
  ["a string", (status) => json(status, "no"), { body: "no" }],
  ["broken JSON", (status) => answer(status, '{"type": "inv'), { body: '{"type": "inv' }],
  [
    "fields of the wrong kind",
    (status) => json(status, { type: 1, message: ["no"], param: null }),
    { body: { type: 1, message: ["no"], param: null } },
  ],
  [
    "fields that say nothing",
    (status) => json(status, { type: "", message: "", param: "" }),
    { body: { type: "", message: "", param: "" } },
  ],
  [
    "more fields than are known",
    (status) => json(status, { ...REFUSAL, docs: "https://docs.example" }),
    { ...refused, body: { ...REFUSAL, docs: "https://docs.example" } },
  ],
  ["the error one level down", (status) => json(status, { error: REFUSAL }), { body: { error: REFUSAL } }],
  ["a token", (status) => answer(status, MINTED), { body: { token: hidden } }],
  ["the start of a token", (status) => answer(status, MINTED.slice(0, 60)), { body: `{"token":"${hidden}` }],
  [
    "the start of a token in its text",
    (status) => answer(status, `Expired: ${TOKEN.slice(0, 60)}`),
    { body: `Expired: ${hidden}` },
  ],
  [
    "the key and a token in its fields",
    (status) =>
      json(status, { type: KEY, message: `${KEY} is unknown`, param: TOKEN, [KEY]: [{ seen: KEY }] }),
    {
      type: hidden,
      param: hidden,
      body: { type: hidden, message: `${hidden} is unknown`, param: hidden, [hidden]: [{ seen: hidden }] },
    },
  ],
  [
    "the key in its text",
    (status) => answer(status, `Unknown key ${KEY}!`),
    { body: `Unknown key ${hidden}!` },
  ],
  ["the key in the reason phrase", (status) => json(`${status} ${KEY}` as never, REFUSAL), refused],
  [
    "Latin-1 bytes",
    (status) => answer(status, Buffer.from('{"message": "fermé"}', "latin1")),
    { body: { message: "ferm\ufffd" } },
  ],
  [
    "a length that is too long",
    (status) => all(bytes(head(status, { "content-length": "999" }), "{}"), hangUp),
    {},
  ],
  ["a reset in the body", (status) => all(bytes(head(status, { "content-length": "999" }), "{}"), reset), {}],
  [
    "chunks cut off",
    (status) => all(bytes(head(status, { "transfer-encoding": "chunked" }), chunk("{}")), hangUp),
    {},
  ],
  ["gzip", (status) => answer(status, gzipSync(JSON.stringify(REFUSAL)), gzip), refused],
  ["gzip that is none", (status) => answer(status, JSON.stringify(REFUSAL), gzip), {}],
  [
    "gzip with a wrong end",
    (status) => answer(status, flipLast(gzipSync(JSON.stringify(REFUSAL))), gzip),
    {},
  ],
  ["a gzip bomb", (status) => answer(status, gzipSync(Buffer.alloc(32 * MIB, " ")), gzip), {}],
  ["over 1 MiB, declared", (status) => answer(status, "x".repeat(MIB + 1)), {}],
  [
    "over 1 MiB, chunked",
    (status) =>
      chunked(
        status,
        Array.from({ length: 17 }, () => "x".repeat(65_536)),
      ),
    {},
  ],
];

function flipLast(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 0xff : byte)));
}

const deep = Array.from({ length: 12 }).reduce((inner) => ({ inner }), { key: KEY });

/** What error answers end in, whatever their bodies. */
export const errorBodyScenarios: Scenario[] = [
  ...[400, 401, 500].flatMap((status) =>
    bodies.map(([what, step, fields]) => ({
      title: `${status} with ${what}`,
      steps: () => [step(status)],
      maxRetries: 0,
      outcome: apiFailure(status, fields),
    })),
  ),
  {
    title: "400 with UTF-16",
    steps: () => [answer(400, Buffer.from(JSON.stringify(REFUSAL), "utf16le"))],
    outcome: apiFailure(400, { body: Buffer.from(JSON.stringify(REFUSAL), "utf16le").toString("utf8") }),
  },
  {
    title: "400 with a body nested deeper than anyone reads",
    steps: () => [json(400, deep)],
    outcome: apiFailure(400, {
      body: Array.from({ length: 8 }).reduce((inner) => ({ inner }), hidden as unknown),
    }),
  },
];
