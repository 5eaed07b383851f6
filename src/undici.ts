/**
 * A faster `fetch` for busy Node.js servers. Needs the package `undici`.
 *
 * @module complycube-tokens/undici
 */

import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, inflateRaw } from "node:zlib";
import { Agent, type Dispatcher, fetch as undiciPlainFetch } from "undici";
import { onAbort } from "./core/abort.ts";
import { checkBoolean, checkFields, checkInteger } from "./core/checks.ts";
import type { Fetch } from "./core/http/exchange.ts";
import {
  type Answer,
  BodyTooLargeError,
  EXCHANGE,
  type Exchange,
  isRedirect,
  MAX_BODY_BYTES,
} from "./core/http/exchange.ts";

/** How `undiciFetch` connects. */
export interface UndiciFetchOptions {
  /**
   * The most sockets to one origin, 1 or more.
   *
   * @default no limit
   */
  connections?: number | undefined;
  /**
   * Whether to speak HTTP/2 with a server that offers it.
   *
   * @default undici's own default
   */
  allowH2?: boolean | undefined;
}

/** A `fetch` for the `fetch` option of `ComplyCube`, with sockets of its own. */
export interface UndiciFetch extends Fetch {
  /** Lets what is under way finish, then closes the sockets. */
  close(): Promise<void>;
}

/**
 * Makes a faster `fetch` for busy Node.js servers: it talks to `undici` without the objects of the Fetch standard in
 * between. Deadlines, abort and the size limit hold as they do for the default one, and no redirect is followed.
 * Interceptors and mocks of the global `fetch` do not see it. Called by itself, it is `undici`'s own `fetch`.
 *
 * @throws `TypeError` or `RangeError` that names a wrong option
 * @example
 * const fetch = undiciFetch({ connections: 32 });
 * const complycube = new ComplyCube({ fetch });
 * // when the server shuts down
 * await fetch.close();
 * @see https://undici.nodejs.org
 */
export function undiciFetch(options: UndiciFetchOptions = {}): UndiciFetch {
  checkFields("options", options, ["connections", "allowH2"]);
  const connections = checkInteger("connections", options.connections, 1);
  const allowH2 = checkBoolean("allowH2", options.allowH2);
  const agent = new Agent({
    ...(connections !== undefined && { connections }),
    ...(allowH2 !== undefined && { allowH2 }),
    // Each attempt has its own deadline.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const plain = (url: string, init: RequestInit) =>
    undiciPlainFetch(url, { ...(init as object), dispatcher: agent });
  return Object.assign(plain as unknown as Fetch, {
    [EXCHANGE]: throughDispatch(agent),
    close: () => agent.close(),
  });
}

function throughDispatch(agent: Agent): Exchange {
  const decoder = new TextDecoder();
  let url: string | undefined;
  let origin = "";
  let path = "";

  return (request, signal) => {
    if (request.url !== url) {
      const parsed = new URL(request.url);
      [url, origin, path] = [request.url, parsed.origin, parsed.pathname];
    }
    return new Promise((resolve, reject) => {
      agent.dispatch(
        { origin, path, method: request.method, headers: request.headers, body: request.body },
        new AnswerCollector(signal, decoder, resolve, reject),
      );
    });
  };
}

type IncomingHeaders = Record<string, string | string[] | undefined>;

/** Collects one answer, without a stream in between. */
class AnswerCollector implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal;
  readonly #decoder: TextDecoder;
  readonly #resolve: (answer: Answer | Promise<Answer>) => void;
  readonly #reject: (error: unknown) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #headers: IncomingHeaders = {};

  constructor(
    signal: AbortSignal,
    decoder: TextDecoder,
    resolve: (answer: Answer | Promise<Answer>) => void,
    reject: (error: unknown) => void,
  ) {
    this.#signal = signal;
    this.#decoder = decoder;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    onAbort(this.#signal, () => controller.abort(new Error("The attempt has ended.")));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHeaders): void {
    this.#status = status;
    this.#headers = headers;
    if (isRedirect(status)) this.#endWith(new Error("A redirect, which is not followed."), controller);
    // The parser would wait for a body, which a 205 has not.
    else if (status === 205) this.#endWith(new Error("A 205 has no body."), controller);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > MAX_BODY_BYTES) this.#endWith(new BodyTooLargeError(), controller);
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const [only] = this.#chunks;
    const bytes = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
    const answer = { status: this.#status, headers: this };
    const encoding = this.get("content-encoding");
    if (!encoding || bytes.byteLength === 0) {
      this.#resolve({ ...answer, body: this.#decoder.decode(bytes) });
      return;
    }
    this.#resolve(
      decompress(bytes, encoding).then(
        (decompressed) => ({ ...answer, body: this.#decoder.decode(decompressed) }),
        (problem) => ({ ...answer, body: undefined, problem }),
      ),
    );
  }

  onResponseError(_: unknown, problem: Error): void {
    if (this.#status < 200)
      this.#reject(problem); // Nothing but interim answers came.
    else this.#resolve({ status: this.#status, headers: this, body: undefined, problem });
  }

  #endWith(problem: Error, controller: Dispatcher.DispatchController): void {
    this.#resolve({ status: this.#status, headers: this, body: undefined, problem });
    controller.abort(problem);
  }

  get(name: string): string | null {
    const value = this.#headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(", ") : (value ?? null);
  }
}

/** None is asked for, but a proxy may compress all the same. */
async function decompress(bytes: Buffer, encoding: string): Promise<Buffer> {
  const limit = { maxOutputLength: MAX_BODY_BYTES };
  try {
    switch (encoding.trim().toLowerCase()) {
      case "identity":
        return bytes;
      case "gzip":
      case "x-gzip":
        return await promisify(gunzip)(bytes, limit);
      case "deflate":
        // Some servers leave out the two bytes in front, of which the first ends in 8.
        return await promisify(((bytes[0] ?? 0) & 0x0f) === 8 ? inflate : inflateRaw)(bytes, limit);
      case "br":
        return await promisify(brotliDecompress)(bytes, limit);
      default:
        throw new Error("The body is in an unknown content-encoding.");
    }
  } catch (error) {
    throw (error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE" ? new BodyTooLargeError() : error;
  }
}
