// What the server can do: sends the same request over plain sockets and only counts the answers. Usage: fork
// raw-socket.ts PORT CONNECTIONS PIPELINED MS
import { connect } from "node:net";
import { API_KEY, CLIENT_ID, REFERRER } from "./exchange.ts";

const [port = 0, connections = 1, pipelined = 1, ms = 0] = process.argv.slice(2).map(Number);
const body = JSON.stringify({ clientId: CLIENT_ID, referrer: REFERRER });
const REQUEST = Buffer.from(
  [
    "POST /v1/tokens HTTP/1.1",
    `host: 127.0.0.1:${port}`,
    `authorization: ${API_KEY}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
    "",
    body,
  ].join("\r\n"),
);
const START_OF_ANSWER = Buffer.from("HTTP/1.1 200");

let answers = 0;
for (let each = 0; each < connections; each++) {
  const socket = connect(port, "127.0.0.1", () =>
    socket.write(Buffer.concat(Array(pipelined).fill(REQUEST))),
  );
  socket.setNoDelay(true);
  socket.on("data", (chunk) => {
    let seen = 0;
    for (let at = chunk.indexOf(START_OF_ANSWER); at !== -1; at = chunk.indexOf(START_OF_ANSWER, at + 700))
      seen++;
    answers += seen;
    if (seen === 1) socket.write(REQUEST);
    else if (seen > 1) socket.write(Buffer.concat(Array(seen).fill(REQUEST)));
  });
}

setTimeout(() => {
  const before = answers;
  const start = performance.now();
  setTimeout(() => {
    process.send?.({ callsPerSecond: ((answers - before) / (performance.now() - start)) * 1_000 });
    process.disconnect?.();
    process.exit();
  }, ms);
}, 200);
