import type { ClientRequest, IncomingMessage } from "node:http";
import type { Ending } from "../deadline.ts";
import { TimeoutError } from "../errors.ts";
import {
  type Answer,
  BodyTooLargeError,
  BrokenConnectionError,
  isRedirect,
  MAX_BODY_BYTES,
  type OnSent,
  type PlainRequest,
  type Transport,
} from "./exchange.ts";
import { closeIdle, hintAtProxy, openAhead, socketsOf, wasOpenedAhead } from "./sockets.ts";

const BROKEN_CODES = new Set(["ECONNRESET", "EPIPE"]);

/**
 * Makes a transport of Node.js's own `https` and `http`. They keep a connection for as long as the server does, resume
 * TLS sessions, and show whether a connection that broke was a kept one. Returns `undefined` on other runtimes.
 */
export function throughNode(baseUrl: string, onSent: OnSent): Transport | undefined {
  if (!isNode()) return undefined;
  const host = new URL(baseUrl);
  const send = (request: PlainRequest, ending: Ending): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { module, agent } = socketsOf(host);
      // Looked up at each call, so that interceptors that were installed later are used. Called with a URL, because older
      // versions otherwise read options such as `maxHeaderSize` from a polluted Object.prototype.
      const outgoing = module.request(baseUrl + request.path, {
        agent,
        method: "POST",
        headers: { ...request.headers, "user-agent": "complycube-tokens" }, // Some firewalls refuse a request without one.
        joinDuplicateHeaders: true,
      });
      ending.onEnd((reason) => {
        // Where a kept connection is silent, the idle ones to the same host are probably dead as well.
        if (reason instanceof TimeoutError && isKept(outgoing)) closeIdle(host);
        outgoing.destroy();
      });
      const fail = (error: NodeJS.ErrnoException) => {
        reject(
          isKept(outgoing) && BROKEN_CODES.has(error.code ?? "") ? new BrokenConnectionError(error) : error,
        );
      };
      outgoing.on("error", fail);
      outgoing.on("upgrade", (_, socket) => {
        socket.destroy();
        fail(new Error("The server switched to another protocol."));
      });
      outgoing.on("response", (response) => resolve(readAnswer(response)));
      const sentAt = performance.now();
      // The operating system has its last byte, after any handshake. Some versions say so of a request that was ended, too.
      outgoing.on("finish", () => outgoing.destroyed || onSent(sentAt, performance.now() - sentAt));
      outgoing.end(request.body);
    });
  return { send, preconnect: () => openAhead(host), hint: () => hintAtProxy(host) };
}

/** Other runtimes imitate Node.js, and are recognised by globals that Node.js does not have. */
function isNode(): boolean {
  const scope = globalThis as Record<string, unknown>;
  return (
    typeof scope.process === "object" &&
    typeof process?.versions?.node === "string" &&
    typeof process.getBuiltinModule === "function" && // Since Node.js 22.3.
    ["Bun", "Deno", "EdgeRuntime", "WebSocketPair"].every((name) => scope[name] === undefined)
  );
}

function isKept(request: ClientRequest): boolean {
  return request.reusedSocket || wasOpenedAhead(request.socket);
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const { statusCode: status = 0, headers } = response;
  const answered = { status, headers: { get: (name: string) => headers[name]?.toString() ?? null } };
  // Node.js would wait for the body of a 205, which has none, until the connection closes.
  if (isRedirect(status) || status === 205) {
    response.destroy();
    return { ...answered, body: undefined };
  }
  try {
    const bytes = await readBytes(response);
    const text = decompress(bytes, headers["content-encoding"]).toString();
    return { ...answered, body: text.replace(/^\ufeff/, "") };
  } catch (problem) {
    return { ...answered, body: undefined, problem };
  }
}

/** Reads the body by events, which takes half the time of an async iterator. */
function readBytes(response: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes > MAX_BODY_BYTES) response.destroy(new BodyTooLargeError());
      else chunks.push(chunk);
    });
    response.on("end", () => resolve(Buffer.concat(chunks)));
    response.on("error", reject);
  });
}

/**
 * Returns the body without its encodings. No encoding is requested, but a proxy may still compress. As with `fetch`, a body
 * without its last bytes is read as far as it goes, and a body whose list has an unknown encoding is left as it is.
 *
 * @see https://fetch.spec.whatwg.org/#handle-content-codings
 */
function decompress(bytes: Buffer, contentEncoding: string | undefined): Buffer {
  if (contentEncoding === undefined || bytes.byteLength === 0) return bytes;
  const decoders = contentEncoding.split(",").map((coding) => decoderOf(coding.trim().toLowerCase()));
  if (!decoders.every((decode) => decode !== undefined)) return bytes;
  try {
    return decoders.reduceRight((rest, decode) => decode(rest), bytes); // The last one applied comes off first.
  } catch (error) {
    throw (error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE" ? new BodyTooLargeError() : error;
  }
}

function decoderOf(coding: string): ((bytes: Buffer) => Buffer) | undefined {
  const zlib = process.getBuiltinModule("node:zlib");
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, ZSTD_e_flush } = zlib.constants;
  const upTo = (finishFlush: number) => ({ maxOutputLength: MAX_BODY_BYTES, finishFlush });
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return (bytes) => zlib.gunzipSync(bytes, upTo(Z_SYNC_FLUSH));
    case "deflate":
      // Some servers leave out the header of two bytes, whose first byte ends in 8.
      return (bytes) => {
        const hasHeader = ((bytes[0] ?? 0) & 0x0f) === 8;
        return (hasHeader ? zlib.inflateSync : zlib.inflateRawSync)(bytes, upTo(Z_SYNC_FLUSH));
      };
    case "br":
      return (bytes) => zlib.brotliDecompressSync(bytes, upTo(BROTLI_OPERATION_FLUSH));
    case "zstd": // Since Node.js 22.15.
      return zlib.zstdDecompressSync && ((bytes) => zlib.zstdDecompressSync(bytes, upTo(ZSTD_e_flush)));
    default:
      return undefined;
  }
}
