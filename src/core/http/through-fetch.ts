import { callHook } from "../call-hook.ts";
import type { Ending } from "../deadline.ts";
import { noStore } from "../no-store.ts";
import { redactCause } from "../redact.ts";
import {
  type Answer,
  BodyTooLargeError,
  BrokenConnectionError,
  type Fetch,
  type FetchAnswer,
  isRedirect,
  MAX_BODY_BYTES,
  NoResponseError,
  type OnSent,
  type PlainRequest,
  type Transport,
} from "./exchange.ts";
import { latenessTo } from "./lateness.ts";

/** Makes a transport of any `fetch`: the global one, an instrumented one, or a stand-in for tests. */
export function throughFetch(fetch: Fetch, baseUrl: string, onSent: OnSent): Transport {
  const lateness = latenessTo(baseUrl);
  const send = async ({ path, headers, body }: PlainRequest, ending: Ending): Promise<Answer> => {
    const signal = ending.toSignal();
    const sentAt = performance.now();
    let response: FetchAnswer | undefined;
    try {
      response = await fetch(baseUrl + path, {
        method: "POST",
        headers,
        body,
        redirect: "manual",
        signal,
        ...noStore(),
      });
    } catch (error) {
      throw isBroken(error) ? new BrokenConnectionError(error) : error;
    } finally {
      onSent(sentAt, lateness(sentAt, Number(response?.status) < 300));
    }
    if (typeof response?.status !== "number" || typeof response.headers?.get !== "function") {
      throw new NoResponseError("The fetch option did not return a Response.");
    }
    const { status } = response;
    const answered = { status, headers: { get: (name: string) => readHeader(response, name) } };
    // An unread body keeps its socket open, so it is cancelled.
    if (ending.ended || isRedirect(status)) {
      discard(response);
      return { ...answered, body: undefined };
    }
    try {
      return { ...answered, body: await readBody(response, ending) };
    } catch (problem) {
      return { ...answered, body: undefined, problem };
    }
  };
  return { send, preconnect() {} };
}

/** The codes of Node.js and Bun for a broken connection. Deno and Cloudflare Workers have only a message. */
const BROKEN_CODES = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);
const BROKEN_MESSAGE = /connection (lost|closed before|reset)/i;

/** Whether a connection broke before any answer came. A `fetch` does not show whether it was a kept connection. */
function isBroken(thrown: unknown): boolean {
  // By a copy, because the chain of causes may be endless, and its getters may throw.
  for (let error = redactCause(thrown, ""); error instanceof Error; error = error.cause) {
    const { code } = error as { code?: unknown };
    if (BROKEN_CODES.has(code as string) || BROKEN_MESSAGE.test(error.message)) return true;
  }
  return false;
}

/** Returns a header, or `null`. The headers of a stand-in may be a Map, return anything, or throw. */
function readHeader({ headers }: FetchAnswer, name: string): string | null {
  try {
    const value: unknown = headers.get(name);
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}

async function readBody(response: FetchAnswer, ending: Ending): Promise<string> {
  const body = response.body as ReadableStream<Uint8Array> | null | undefined;
  // Not every fetch returns a web stream: a stand-in may have none, and node-fetch has a stream of Node.js.
  if (typeof body?.getReader !== "function") {
    const text = await response.text();
    // Jest's jsdom has no TextEncoder to count the bytes with.
    if (new Blob([text]).size > MAX_BODY_BYTES) throw new BodyTooLargeError();
    return text;
  }
  const reader = body.getReader();
  const cancel = () => callHook(() => reader.cancel());
  ending.onEnd(cancel); // Some fetches do not end the body when their signal aborts.
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      if (!ArrayBuffer.isView(value)) throw new TypeError("The body is not made of bytes.");
      bytes += value.byteLength;
      if (bytes > MAX_BODY_BYTES) throw new BodyTooLargeError();
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    cancel();
    throw error;
  }
}

function discard({ body }: FetchAnswer): void {
  // In node-fetch it is a stream of Node.js.
  const stream = body as (Partial<ReadableStream> & { destroy?: () => void }) | null;
  callHook(() => (stream?.cancel ? stream.cancel() : stream?.destroy?.()));
}
