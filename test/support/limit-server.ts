import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** A server that enforces the API's limit as strictly as it can be meant, and counts. */
export interface LimitServer {
  url: string;
  /** When each request arrived, in milliseconds, refused ones too. */
  arrivals: number[];
  /** The client IDs that got a token, in order. */
  minted: string[];
  /** How many requests were answered 429. */
  refused(): number;
  /** The most requests that arrived within any one second. */
  busiestSecond(): number;
  /** From the first arrival to the last, in milliseconds. */
  tookMs(): number;
  close(): Promise<void>;
}

export interface LimitServerOptions {
  /** What a 429 says in its `Retry-After`, in seconds; without it a batch waits 30 seconds. */
  retryAfter?: number | undefined;
  /** How much longer than a quarter of it an answer takes at most. @default 0, which answers at once */
  answerMs?: number | undefined;
  /** The key and the certificate for `https://localhost`. @default none, and `http://127.0.0.1` */
  certificate?: string | undefined;
}

/** Starts it on a free loopback port; in no second are more than `perSecond` requests let through. */
export async function startLimitServer(
  perSecond: number,
  { retryAfter, answerMs = 0, certificate }: LimitServerOptions = {},
): Promise<LimitServer> {
  const arrivals: number[] = [];
  const accepted: number[] = [];
  const minted: string[] = [];

  const answer: RequestListener = (request, response) => {
    const now = performance.now();
    arrivals.push(now);
    const isOver = accepted.length >= perSecond && now - (accepted[accepted.length - perSecond] ?? 0) < 1_000;
    if (!isOver) accepted.push(now);
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      response.setHeader("content-type", "application/json");
      if (isOver) {
        if (retryAfter !== undefined) response.setHeader("retry-after", retryAfter);
        response.writeHead(429).end('{"type":"rate_limit","message":"Too many requests"}');
        return;
      }
      minted.push((JSON.parse(body) as { clientId: string }).clientId);
      setTimeout(() => response.end('{"token":"TOKEN"}'), answerMs / 4 + Math.random() * answerMs);
    });
  };
  const server =
    certificate === undefined
      ? createServer(answer)
      : createTlsServer({ key: certificate, cert: certificate }, answer);
  await once(server.listen(0, "127.0.0.1"), "listening");

  return {
    url: `${certificate === undefined ? "http://127.0.0.1" : "https://localhost"}:${(server.address() as AddressInfo).port}`,
    arrivals,
    minted,
    refused: () => arrivals.length - accepted.length,
    busiestSecond: () => busiestSecond(arrivals),
    tookMs: () => (arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** The most of these times, in order, that lie within any one second. */
export function busiestSecond(times: number[]): number {
  return times.reduce((most, from, i) => {
    const after = times.slice(i).findIndex((at) => at - from >= 1_000);
    return Math.max(most, after < 0 ? times.length - i : after);
  }, 0);
}
