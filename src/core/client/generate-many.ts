import { onAbort, sleep } from "../abort.ts";
import { checkInteger, kindOf } from "../checks.ts";
import type { RateLimitQueueFullError } from "../errors.ts";
import { checkRequestOptions, REQUEST_OPTIONS, type RequestOptions, type Settings } from "./options.ts";
import type { MobileTarget, TokenTarget, WebTarget } from "./target.ts";

/**
 * One row of a batch: a client, and exactly one of the web page and the app that its token is bound to. Other fields,
 * such as your own number of the row, are not sent and come back with `request`.
 */
export type BatchRequest = {
  /** The ID of the client who will use the token. */
  clientId: string;
} & (Omit<WebTarget, "clientId"> | Omit<MobileTarget, "clientId">);

/** What one row came to: a token or an error, never both. */
export type BatchResult<R extends BatchRequest = BatchRequest> =
  | {
      /** The row, the very object that was read. */
      request: R;
      /** The token, a JSON Web Token. Keep it out of logs. */
      token: string;
      /** Absent, as there is a token. */
      error?: never;
    }
  | {
      /** The row, the very object that was read. */
      request: R;
      /** What `generate` would have rejected with. */
      error: unknown;
      /** Absent, as there is an error. */
      token?: never;
    };

/** Behaviour of a batch; what is left out comes from the client. */
export interface BatchOptions extends RequestOptions {
  /**
   * How many rows are under way at once: being sent, waiting for the rate limit, or settled and not yet taken by the
   * loop. It has to cover what is in flight at the rate limit: 16 do for 10 requests a second of 1.6 seconds each.
   *
   * @default 16
   */
  concurrency?: number | undefined;
}

/** Mints one token, as `generate` does, with the retries of a batch. */
export type Mint = (clientId: string, target: TokenTarget, options: RequestOptions) => Promise<string>;

const DEFAULT_CONCURRENCY = 16;
/** How long a row waits when other calls have filled the queue of the rate limit. */
const QUEUE_FULL_WAIT_MS = 1_000;

/** Checks the arguments at once, not when the loop starts; the source is not touched before. */
export function generateMany<R extends BatchRequest>(
  mint: Mint,
  requests: Iterable<R> | AsyncIterable<R>,
  options: BatchOptions,
  settings: Settings,
): AsyncGenerator<BatchResult<R>, void, undefined> {
  checkRequestOptions(options, settings, [...REQUEST_OPTIONS, "concurrency"]);
  const { concurrency, ...each } = options;
  const most = checkInteger("concurrency", concurrency, 1) ?? DEFAULT_CONCURRENCY;
  checkSource(requests);
  const mintOne = (request: BatchRequest, signal: AbortSignal) => mintRow(mint, request, { ...each, signal });
  return run(mintOne, requests, most, each.signal);
}

async function* run<R extends BatchRequest>(
  mint: (request: R, signal: AbortSignal) => Promise<string>,
  requests: Iterable<R> | AsyncIterable<R>,
  concurrency: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<BatchResult<R>, void, undefined> {
  const rows = open(requests);
  const settled: BatchResult<R>[] = [];
  const stop = new AbortController();
  let inFlight = 0;
  let reading = false;
  let ended = false;
  let failure: { error: unknown } | undefined; // Of the source itself.
  let wake = () => {};

  const send = async (request: R) => {
    inFlight++;
    try {
      const token = await mint(request, stop.signal);
      settled.push({ request, token });
    } catch (error) {
      if (!stop.signal.aborted) settled.push({ request, error });
    }
    inFlight--;
    wake();
  };
  const take = ({ done, value }: IteratorResult<R, unknown>) => {
    if (done) ended = true;
    else void send(value as R);
  };
  const fail = (error: unknown) => {
    ended = true;
    failure = { error };
  };
  /** Reads one row; an async source is not waited for here, so that what settles meanwhile comes out. */
  const read = () => {
    try {
      const row = rows.next();
      if (!isPromise(row)) return take(row);
      reading = true;
      row.then(take, fail).finally(() => {
        reading = false;
        wake();
      });
    } catch (error) {
      fail(error);
    }
  };
  const release = onAbort(signal, () => {
    stop.abort(signal?.reason);
    wake();
  });

  try {
    for (;;) {
      while (!stop.signal.aborted && !ended && !reading && inFlight + settled.length < concurrency) read();
      const result = settled.shift();
      // After an abort, what is minted already still comes out: nothing that was paid for is lost.
      if (result !== undefined) yield result;
      else if (stop.signal.aborted) throw stop.signal.reason;
      else if (inFlight > 0 || reading) await new Promise<void>((resolve) => (wake = resolve));
      else if (failure !== undefined) throw failure.error;
      else if (ended) return;
    }
  } finally {
    release();
    stop.abort();
    if (!ended) await close(rows, reading);
  }
}

/** A full queue is no row's fault: without the wait, a million rows would fail within a second. */
async function mintRow(mint: Mint, request: BatchRequest, options: RequestOptions): Promise<string> {
  const { clientId, ...target } = readRow(request);
  for (;;) {
    try {
      return await mint(clientId, target as TokenTarget, options);
    } catch (error) {
      if ((error as RateLimitQueueFullError | undefined)?.code !== "rate_limit_queue_full") throw error;
      await sleep(QUEUE_FULL_WAIT_MS, options.signal);
    }
  }
}

/** The fields that are sent. There is no optional one that a misspelling could lose, so a row may hold more. */
function readRow(request: BatchRequest): BatchRequest {
  if (typeof request !== "object" || request === null) {
    throw new TypeError(
      `A row must be { clientId, referrer } or { clientId, appId }, not ${kindOf(request)}.`,
    );
  }
  const sent = ["clientId", "referrer", "appId"];
  return Object.fromEntries(Object.entries(request).filter(([name]) => sent.includes(name))) as BatchRequest;
}

type RowIterator<R> = Iterator<R> | AsyncIterator<R>;

function checkSource(requests: unknown): void {
  const source = requests as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined;
  const iterable = typeof (source?.[Symbol.asyncIterator] ?? source?.[Symbol.iterator]) === "function";
  if (iterable && typeof requests !== "string") return;
  throw new TypeError(`requests must be an iterable or async iterable, not ${kindOf(requests)}.`);
}

function open<R>(requests: Iterable<R> | AsyncIterable<R>): RowIterator<R> {
  return Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]();
}

/** Lets the source close its file or cursor. One that is being read now may never answer, so it is not waited for. */
async function close(rows: RowIterator<unknown>, reading: boolean): Promise<void> {
  const closed = (async () => rows.return?.())().catch(() => {}); // Where it throws, too.
  if (!reading) await closed;
}

function isPromise<T>(value: T | PromiseLike<T>): value is Promise<T> {
  return typeof (value as { then?: unknown }).then === "function";
}
