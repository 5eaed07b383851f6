import { onAbort } from "../abort.ts";
import { callHook } from "../call-hook.ts";
import {
  BodyTooLargeError,
  type Exchange,
  type Fetch,
  isRedirect,
  MAX_BODY_BYTES,
  NoResponseError,
} from "./exchange.ts";

/** Exchanges through any `fetch`: the global one, an instrumented one, or a stand-in for tests. */
export function throughFetch(fetch: Fetch): Exchange {
  const decoder = new TextDecoder();

  return async ({ url, method, headers, body }, signal) => {
    const response = await fetch(url, { method, headers, body, redirect: "manual", signal });
    if (typeof response?.status !== "number" || typeof response.headers?.get !== "function") {
      throw new NoResponseError("The fetch option did not give a Response.");
    }
    const { status } = response;
    const answered = { status, headers: { get: (name: string) => readHeader(response, name) } };
    // What nobody will read would hold its socket.
    if (signal.aborted || isRedirect(status)) {
      discard(response);
      return { ...answered, body: undefined };
    }
    try {
      return { ...answered, body: await readBody(response, signal, decoder) };
    } catch (problem) {
      return { ...answered, body: undefined, problem };
    }
  };
}

/** A stand-in's headers may be a Map, give anything, or throw. */
function readHeader({ headers }: Response, name: string): string | null {
  try {
    const value: unknown = headers.get(name);
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}

async function readBody(response: Response, signal: AbortSignal, decoder: TextDecoder): Promise<string> {
  const { body } = response;
  // Not every fetch has web streams: a test's stand-in may have none, and node-fetch has Node.js ones.
  if (typeof body?.getReader !== "function") {
    const text = await response.text();
    if (new TextEncoder().encode(text).byteLength > MAX_BODY_BYTES) throw new BodyTooLargeError();
    return text;
  }
  const reader = body.getReader();
  const cancel = () => callHook(() => reader.cancel());
  const release = onAbort(signal, cancel); // Not every fetch ends the body when its signal aborts.
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return decoder.decode(join(chunks, bytes));
      if (!ArrayBuffer.isView(value)) throw new TypeError("The body is not made of bytes.");
      bytes += value.byteLength;
      if (bytes > MAX_BODY_BYTES) throw new BodyTooLargeError();
      chunks.push(value);
    }
  } catch (error) {
    cancel();
    throw error;
  } finally {
    release(); // Node.js keeps the signal, and with it the body, until the request is collected: both would stay.
  }
}

function join(chunks: Uint8Array[], bytes: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

function discard({ body }: Response): void {
  // node-fetch has a Node.js stream there.
  const stream = body as (Partial<ReadableStream> & { destroy?: () => void }) | null;
  callHook(() => (stream?.cancel ? stream.cancel() : stream?.destroy?.()));
}
