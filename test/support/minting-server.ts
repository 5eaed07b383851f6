// Mints a token for whoever asks, in a process that a test can stop. Sends its parent its address.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { TOKEN } from "./leak-scan.ts";

const server = createServer((request, response) => {
  request.resume().on("end", () => response.end(JSON.stringify({ token: TOKEN })));
}).listen(0, "127.0.0.1", () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
