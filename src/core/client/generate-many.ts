import { onAbort, sleep } from "../abort.ts";
import { checkFields, checkInteger, kindOf, misuse } from "../checks.ts";
import type { RateLimitQueueFullError } from "../errors.ts";
import { checkRequestOptions, REQUEST_OPTIONS, type RequestOptions, type Settings } from "./options.ts";
import { type MobileTarget, TARGET_FIELD_NAMES, type TokenTarget, type WebTarget } from "./target.ts";

/**
 * One row of a batch: a client, and exactly one of the web page and the app that its token is bound to. Other fields,
 * such as your own number of the row, are not sent and come back with `request`.
 */
export type BatchRequest = {
  /** The ID of the client who will use the token. */
  clientId: string;
} & (Omit<WebTarget, "clientId"> | Omit<MobileTarget, "clientId">);

/** The source of the rows. A promise of a row is awaited, as `for await` does. */
export type BatchSource<R extends BatchRequest> = Iterable<R | PromiseLike<R>> | AsyncIterable<R>;

/** The result of one row: a token or an error, never both. */
export type BatchResult<R extends BatchRequest = BatchRequest> =
  | {
      /** The row: the object itself, not a copy. */
      request: R;
      /** The token, a JSON Web Token. Keep it out of logs. */
      token: string;
      /** Absent, because there is a token. */
      error?: never;
    }
  | {
      /** The row: the object itself, not a copy. */
      request: R;
      /** What `generate` would have rejected with. */
      error: unknown;
      /** Absent, because there is an error. */
      token?: never;
    };

/** Behaviour of a batch; what is left out comes from the client. */
export interface BatchOptions extends RequestOptions {
  /**
   * How many rows are in progress at once: being sent, waiting for the rate limit, or settled and not yet read by the
   * loop. A number that is too small makes the batch slower than the rate limit allows: 16 is enough for 10 requests a
   * second that take 1.6 seconds each.
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

/** Checks the arguments at once, not when the loop starts. The source is first read by the loop. */
export function generateMany<R extends BatchRequest>(
  mint: Mint,
  requests: BatchSource<R>,
  options: BatchOptions,
  settings: Settings,
): AsyncGenerator<BatchResult<R>, void, undefined> {
  const own = checkFields("options", options, [...REQUEST_OPTIONS, "concurrency"]);
  const { concurrency, ...each } = own;
  checkRequestOptions(each, settings);
  const most = checkInteger("concurrency", concurrency, 1) ?? DEFAULT_CONCURRENCY;
  checkSource(requests);
  const mintOne = (request: BatchRequest, signal: AbortSignal) => mintRow(mint, request, { ...each, signal });
  return run(mintOne, requests, most, own.signal);
}

async function* run<R extends BatchRequest>(
  mint: (request: R, signal: AbortSignal) => Promise<string>,
  requests: BatchSource<R>,
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
      // A row that was ended by the abort has no result: it may be tried again.
      if (!(stop.signal.aborted && Object.is(error, stop.signal.reason))) settled.push({ request, error });
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
  /** Reads one row. A promise of a row is not awaited here, so that results which settle meanwhile are yielded. */
  const read = () => {
    try {
      const next = rows.next();
      if (!isPromise(next) && !isPromise(next.value)) return take(next as IteratorResult<R, unknown>);
      reading = true;
      settle(rows, next)
        .then(take)
        .catch(fail)
        .finally(() => {
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
      // After an abort, tokens that are already minted are still yielded, so that none is lost.
      if (result !== undefined) yield result;
      else if (inFlight > 0 || (reading && !stop.signal.aborted))
        await new Promise<void>((resolve) => (wake = resolve));
      else if (stop.signal.aborted) throw stop.signal.reason;
      else if (failure !== undefined) throw failure.error;
      else return;
    }
  } finally {
    release();
    stop.abort();
    // Not awaited after an abort, which ends the batch at once, nor during a read, because the source may never answer.
    const closed = ended ? undefined : close(rows);
    if (!reading && !signal?.aborted) await closed;
  }
}

/**
 * Mints the token of one row. A full queue is not the row's fault, so the row waits: else a million rows would fail
 * in a second.
 */
async function mintRow(mint: Mint, request: BatchRequest, options: RequestOptions): Promise<string> {
  const { clientId, ...target } = readRow(request);
  for (;;) {
    try {
      return await mint(clientId as string, target as unknown as TokenTarget, options);
    } catch (error) {
      if ((error as RateLimitQueueFullError | undefined)?.code !== "rate_limit_queue_full") throw error;
      await sleep(QUEUE_FULL_WAIT_MS, options.signal);
    }
  }
}

/** Returns the fields that are sent, also those that a class has as accessors. A row may have other fields. */
function readRow(row: unknown): Record<string, unknown> {
  if (typeof row !== "object" || row === null) {
    throw misuse("A row", `must be { clientId, referrer } or { clientId, appId }, not ${kindOf(row)}`);
  }
  const sent: Record<string, unknown> = {};
  for (const name of ["clientId", ...TARGET_FIELD_NAMES]) {
    // A field of a polluted Object.prototype must not bind a token.
    if (name in Object.prototype && !Object.hasOwn(row, name)) continue;
    const value = (row as Record<string, unknown>)[name];
    if (value !== undefined) sent[name] = value;
  }
  return sent;
}

type RowIterator<R> = Iterator<R | PromiseLike<R>> | AsyncIterator<R>;

function checkSource(requests: unknown): void {
  const source = requests as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined;
  const iterable = typeof (source?.[Symbol.asyncIterator] ?? source?.[Symbol.iterator]) === "function";
  if (iterable && typeof requests !== "string") return;
  throw misuse("requests", `must be an iterable or async iterable, not ${kindOf(requests)}`);
}

function open<R extends BatchRequest>(requests: BatchSource<R>): RowIterator<R> {
  return Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]();
}

/** Awaits the answer of a source, and the row in it. A promise of a row that rejects ends the batch. */
async function settle<R>(
  rows: RowIterator<R>,
  next: ReturnType<RowIterator<R>["next"]>,
): Promise<IteratorResult<R, unknown>> {
  const { done, value } = await next;
  if (done) return { done, value };
  try {
    return { done: false, value: await value };
  } catch (error) {
    await close(rows);
    throw error;
  }
}

/** Lets the source close its file or cursor, and ignores whatever that throws. */
async function close(rows: RowIterator<unknown>): Promise<void> {
  try {
    await rows.return?.();
  } catch {}
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
