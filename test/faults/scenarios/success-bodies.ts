import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
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
import { MINTED, notAToken, REFUSAL, type Scenario, token } from "./scenario.ts";

const MIB = 1024 * 1024;
const gzip = { "content-encoding": "gzip" };
const utf16 = Buffer.from(MINTED, "utf16le");
const twice = brotliCompressSync(gzipSync(MINTED));
const HTML = "<!doctype html><title>Sign in to the network</title>";

/** A 2xx whose body is not a token: never retried, because the answer came whole and asking again changes nothing. */
const notTokens: [string, Step][] = [
  ["HTML", answer(200, HTML, { "content-type": "text/html" })],
  ["HTML that says it is JSON", answer(200, HTML, { "content-type": "application/json" })],
  ["nothing, declared", answer(200)],
  ["nothing, chunked", chunked(200, [])],
  ["nothing, until the close", all(bytes(head(200, { connection: "close" })), hangUp)],
  ["blank space", answer(200, "  \r\n ")],
  ["broken JSON", answer(200, `{"token": "${TOKEN}`)],
  ["JSON with something after it", answer(200, `${MINTED}<!-- cached -->`)],
  ["a script", answer(200, `callback(${MINTED})`)],
  ["null", json(200, null)],
  ["an array", json(200, [])],
  ["the token in an array", json(200, [{ token: TOKEN }])],
  ["a number", json(200, 42)],
  ["a string", json(200, TOKEN)],
  ["true", json(200, true)],
  ["an object without the token", json(200, {})],
  ["the token under another name", json(200, { Token: TOKEN, access_token: TOKEN })],
  ["the token one level down", json(200, { data: { token: TOKEN } })],
  ["the token on the prototype", answer(200, `{"__proto__": ${MINTED}}`)],
  ["an empty token", json(200, { token: "" })],
  ["a token that is null", json(200, { token: null })],
  ["a token that is a number", json(200, { token: 42 })],
  ["a token that is an object", json(200, { token: { token: TOKEN } })],
  ["a token that is an array", json(200, { token: [TOKEN] })],
  ["a token of blanks", json(200, { token: "   " })],
  ["a token with a space", json(200, { token: `${TOKEN} ${TOKEN}` })],
  ["a token with a space after it", json(200, { token: `${TOKEN} ` })],
  ["a token with a line break", json(200, { token: `${TOKEN}\r\nset-cookie:a=b` })],
  ["a token with a control character", json(200, { token: `${TOKEN}\u0000` })],
  ["a token outside ASCII", json(200, { token: `${TOKEN}é` })],
  ["the API's error body", json(200, REFUSAL)],
  ["the key echoed", json(200, { authorization: KEY })],
  [
    "Latin-1 bytes",
    answer(200, Buffer.from(`{"token": "${TOKEN}é"}`, "latin1"), {
      "content-type": "application/json; charset=iso-8859-1",
    }),
  ],
  [
    "UTF-16, little end first",
    answer(200, Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]), {
      "content-type": "application/json; charset=utf-16",
    }),
  ],
  [
    "UTF-16, big end first",
    answer(200, Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()])),
  ],
  ["a length that is too long", all(bytes(head(200, { "content-length": "1000" }), MINTED), hangUp)],
  [
    "a length that is too long, then a reset",
    all(bytes(head(200, { "content-length": "1000" }), MINTED), reset),
  ],
  ["a length that is too short", all(bytes(head(200, { "content-length": "20" }), MINTED), hangUp)],
  ["a declared body that never came", all(bytes(head(200, { "content-length": "1000" })), hangUp)],
  ["chunks cut off", all(bytes(head(200, { "transfer-encoding": "chunked" }), chunk(MINTED)), hangUp)],
  ["a chunk cut off", all(bytes(head(200, { "transfer-encoding": "chunked" }), `fff\r\n${MINTED}`), hangUp)],
  [
    "a chunk size that is not a number",
    all(bytes(head(200, { "transfer-encoding": "chunked" }), `zz\r\n${MINTED}`), hangUp),
  ],
  ["gzip that is none", answer(200, MINTED, gzip)],
  ["gzip cut off", answer(200, gzipSync(MINTED).subarray(0, -12), gzip)],
  ["gzip with a wrong checksum", answer(200, flip(gzipSync(MINTED), -8), gzip)],
  ["a gzip bomb", answer(200, gzipSync(Buffer.alloc(64 * MIB, " ")), gzip)],
  ["a gzip bomb, chunked", chunked(200, [gzipSync(Buffer.alloc(64 * MIB, " "))], gzip)],
  [
    "gzip in a list with one that nobody knows",
    answer(200, gzipSync(MINTED), { "content-encoding": "gzip, x-none" }),
  ],
  ["lists in the wrong order", answer(200, twice, { "content-encoding": "br, gzip" })],
  ["zstd that is none", answer(200, MINTED, { "content-encoding": "zstd" })],
  ["Brotli that is none", answer(200, MINTED, { "content-encoding": "br" })],
  ["over 1 MiB, declared", answer(200, MINTED.padEnd(MIB + 1))],
  ["over 1 MiB, chunked", chunked(200, [MINTED, ...Array.from({ length: 17 }, () => " ".repeat(65_536))])],
  [
    "over 1 MiB, until the close",
    all(bytes(head(200, { connection: "close" }), MINTED.padEnd(MIB + 1)), hangUp),
  ],
  ["a length of 9 PB", all(bytes(head(200, { "content-length": "9007199254740991" }), " ".repeat(2 * MIB)))],
];

/** A 2xx that looks odd and carries a token. */
const tokens: [string, Step][] = [
  ["plain", json(200, { token: TOKEN })],
  ["chunked, a byte at a time", chunked(200, [...MINTED])],
  ["until the close", all(bytes(head(200, { connection: "close" }), MINTED), hangUp)],
  ["HTTP/1.0", all(bytes(`HTTP/1.0 200 OK\r\n\r\n${MINTED}`), hangUp)],
  ["connection: close", all(answer(200, MINTED, { connection: "close" }), hangUp)],
  ["no content type", answer(200, MINTED)],
  ["called HTML", answer(200, MINTED, { "content-type": "text/html" })],
  ["more fields than one", json(200, { type: "error", token: TOKEN, expiresAt: null })],
  ["a byte order mark", answer(200, `\ufeff${MINTED}`)],
  ["exactly 1 MiB, declared", answer(200, MINTED.padEnd(MIB))],
  ["exactly 1 MiB, chunked", chunked(200, [MINTED.padEnd(MIB)])],
  ["gzip", answer(200, gzipSync(MINTED), gzip)],
  ["gzip, chunked", chunked(200, [gzipSync(MINTED)], gzip)],
  ["gzip in capitals", answer(200, gzipSync(MINTED), { "content-encoding": "GZIP" })],
  ["gzip by its older name", answer(200, gzipSync(MINTED), { "content-encoding": "x-gzip" })],
  ["deflate", answer(200, deflateSync(MINTED), { "content-encoding": "deflate" })],
  ["raw deflate", answer(200, deflateRawSync(MINTED), { "content-encoding": "deflate" })],
  ["Brotli", answer(200, brotliCompressSync(MINTED), { "content-encoding": "br" })],
  ["zstd", answer(200, zstdCompressSync(MINTED), { "content-encoding": "zstd" })],
  ["gzip, then Brotli", answer(200, twice, { "content-encoding": "gzip, br" })],
  [
    "gzip, then Brotli, on two lines",
    bytes(
      `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-encoding: br\r\ncontent-length: ${twice.length}\r\n\r\n`,
      twice,
    ),
  ],
  ["gzip without its last bytes", answer(200, gzipSync(MINTED).subarray(0, -8), gzip)],
  [
    "trailers after it",
    bytes(head(200, { "transfer-encoding": "chunked" }), chunk(MINTED), "0\r\nx-trailer: late\r\n\r\n"),
  ],
  ["not compressed, which is said", answer(200, MINTED, { "content-encoding": "identity" })],
  [
    "102 before it",
    bytes(head("102 Processing"), head(200, { "content-length": String(MINTED.length) }), MINTED),
  ],
  [
    "103 before it",
    bytes(
      head("103 Early Hints", { link: "</a>" }),
      head(200, { "content-length": String(MINTED.length) }),
      MINTED,
    ),
  ],
];

/** What 2xx answers end in. */
export const successBodyScenarios: Scenario[] = [
  ...notTokens.map(([what, step]) => ({
    title: `200 with ${what}`,
    steps: () => [step],
    outcome: notAToken(),
  })),
  ...tokens.map(([what, step]) => ({ title: `a token: ${what}`, steps: () => [step], outcome: token() })),
  ...[201, 202, 203, 206, 299].map((status) => ({
    title: `${status} with a token`,
    steps: () => [answer(status, MINTED)],
    outcome: token(),
  })),
  ...[201, 202].map((status) => ({
    title: `${status} with an error body`,
    steps: () => [json(status, REFUSAL)],
    outcome: notAToken(status),
  })),
  { title: "204", steps: () => [bytes(head(204))], outcome: notAToken(204) },
  {
    title: "200 with a compression that nobody knows, which the fetch standard ignores",
    steps: () => [answer(200, MINTED, { "content-encoding": "x-none" })],
    outcome: token(),
  },
  { title: "205 without a length", steps: () => [bytes(head(205))], outcome: notAToken(205) },
  { title: "205", steps: () => [bytes(head(205, { "content-length": "0" }))], outcome: notAToken(205) },
];

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const index = copy.length + at;
  copy[index] = (copy[index] ?? 0) ^ 0xff;
  return copy;
}
