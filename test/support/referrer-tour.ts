import { EventEmitter, once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { PagePolicy } from "../../src/referrer/index.ts";
import type { Engine } from "./engines.ts";

/** One page of the tour. */
interface Stop {
  /** As it is typed into the address bar. */
  url: string;
  policy: PagePolicy;
  setBy: "header" | "meta";
  /** The page is in an iframe of another site, which has `no-referrer`. */
  isEmbedded: boolean;
}

/** One request to the API, from one page. */
export interface Call {
  stop: Stop;
  /** How the page called. */
  way: string;
  /** The policy that counts: the page's, or the one that was given to `fetch`. */
  policy: PagePolicy;
}

/** Pages that call the API and go to the next by themselves, so that a browser needs only one navigation. */
export interface Tour {
  /** Every call that a browser makes on the way. */
  calls: Call[];
  /** Sends a browser round, and returns the `Referer` of each call, `null` where there was none. */
  take(open: Engine["open"]): Promise<Map<Call, string | null>>;
  close(): void;
}

const POLICIES: Exclude<PagePolicy, "">[] = [
  "no-referrer",
  "no-referrer-when-downgrade",
  "same-origin",
  "origin",
  "strict-origin",
  "origin-when-cross-origin",
  "strict-origin-when-cross-origin",
  "unsafe-url",
];

const WAYS = ["fetch", "xhr", "script", "iframe"];
const TOUR_MS = 100_000;

/** Serves the tour over https and http on free loopback ports. */
export async function startTour(certificate: string): Promise<Tour> {
  const servers = [
    createHttpsServer({ key: certificate, cert: certificate }, (...both) => answer(...both)),
    createHttpServer((...both) => answer(...both)),
  ];
  for (const server of servers) await once(server.listen(0, "127.0.0.1"), "listening");
  const [https = 0, http = 0] = servers.map((server) => (server.address() as AddressInfo).port);
  const api = `https://api.localhost:${https}/v1/tokens`;
  const stops = plan(https, http);
  const calls = stops.flatMap((stop) => callsFrom(stop));
  const end = `https://end.localhost:${https}/`;
  const events = new EventEmitter();

  /** Where to go for a stop: the page itself, or the one that embeds it. */
  function entry(index: number): string {
    const stop = stops[index];
    if (stop === undefined) return end;
    return stop.isEmbedded ? `https://embedder.localhost:${https}/?embed=${index}` : stop.url;
  }

  function answer(...[request, response]: Parameters<RequestListener>): void {
    const url = new URL(request.url ?? "/", "http://any.localhost");
    const embedded = url.searchParams.get("embed");
    const index = Number(url.searchParams.get("stop"));
    const stop = stops[index] as Stop;
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("Content-Type", "text/html; charset=utf-8");

    if (request.headers.host?.startsWith("end.")) {
      events.emit("end");
      response.end();
    } else if (request.headers.host?.startsWith("api.")) {
      const way = url.searchParams.get("way");
      if (way === "script") response.setHeader("Content-Type", "text/javascript");
      const call = calls.find((one) => one.stop === stop && one.way === way);
      events.emit("call", call, request.headers.referer ?? null);
      response.end();
    } else if (embedded === null) {
      if (stop.policy && stop.setBy === "header") response.setHeader("Referrer-Policy", stop.policy);
      const ways = callsFrom(stop).map(({ way, policy }) => ({ way, policy }));
      const task = { api: `${api}?stop=${index}&way=`, ways, next: entry(index + 1) };
      const meta = stop.setBy === "meta" ? `<meta name="referrer" content="${stop.policy}">` : "";
      response.end(`<!doctype html>${meta}<body><script>(${visit})(${JSON.stringify(task)})</script>`);
    } else {
      response.setHeader("Referrer-Policy", "no-referrer");
      const next = JSON.stringify(entry(Number(embedded) + 1));
      response.end(
        `<!doctype html><iframe src="${stops[Number(embedded)]?.url}"></iframe>` +
          `<script>onmessage = () => location.replace(${next})</script>`,
      );
    }
  }

  return {
    calls,
    async take(open) {
      const received = new Map<Call, string | null>();
      const onCall = (call: Call, referer: string | null) => received.set(call, referer);
      events.on("call", onCall);
      const ended = once(events, "end");
      const late = wait(TOUR_MS, undefined, { ref: false }).then(() => {
        throw new Error(`stuck after ${received.size} of ${calls.length} calls`);
      });
      const close = await open(entry(0));
      await Promise.race([ended, late]).finally(close);
      events.off("call", onCall);
      return received;
    },
    close() {
      for (const server of servers) server.close().closeAllConnections();
    },
  };
}

interface Task {
  api: string;
  ways: { way: string; policy: string }[];
  next: string;
}

/** Runs in the page: makes its calls, all at once, and goes on. A call that never ends is missing in the end. */
function visit({ api, ways, next }: Task): void {
  const makers: Record<string, (url: string) => Promise<unknown>> = {
    fetch: (url) => fetch(url, { method: "POST", body: "{}" }),
    xhr: (url) =>
      new Promise((resolve) => {
        const request = new XMLHttpRequest();
        request.onloadend = resolve;
        request.open("POST", url);
        request.send("{}");
      }),
    script: (url) => load("script", url),
    iframe: (url) => load("iframe", url),
  };
  const load = (tag: "script" | "iframe", url: string) =>
    new Promise((resolve) => {
      const element = document.createElement(tag);
      element.onload = resolve;
      element.onerror = resolve;
      element.src = url;
      document.body.append(element);
    });
  const calls = ways.map(({ way, policy }) => {
    const withOption = (url: string) =>
      fetch(url, { method: "POST", referrerPolicy: policy as ReferrerPolicy });
    return (makers[way] ?? withOption)(api + way);
  });
  const patience = new Promise((resolve) => setTimeout(resolve, 5_000));
  Promise.race([Promise.allSettled(calls), patience]).then(() => {
    if (parent === window) location.replace(next);
    else parent.postMessage("done", "*");
  });
}

/** The calls of one page: each way, and on a page without a policy, each policy as an option of `fetch`. */
function callsFrom(stop: Stop): Call[] {
  const calls = WAYS.map((way) => ({ stop, way, policy: stop.policy }));
  if (stop.policy !== "" || stop.isEmbedded) return calls;
  return [...calls, ...POLICIES.map((policy) => ({ stop, way: `option:${policy}`, policy }))];
}

function plan(https: number, http: number): Stop[] {
  const origin = `https://www.localhost:${https}`;
  const origins = [
    origin,
    `https://bücher.localhost:${https}`,
    `https://127.0.0.1:${https}`,
    `http://WWW.localhost:${http}`,
  ];
  const stops: Stop[] = [];
  const add = (url: string, policy: PagePolicy, setBy: Stop["setBy"] = "header", isEmbedded = false) => {
    stops.push({ url: withNumber(url, stops.length), policy, setBy, isEmbedded });
  };

  for (const one of origins) {
    const url = `${one}/verify/step?x=1#top`;
    add(url, "");
    for (const policy of POLICIES) {
      add(url, policy, "header");
      add(url, policy, "meta");
    }
  }
  for (const length of [4095, 4096, 4097]) {
    add(`${origin}/verify?long=`.padEnd(length - "&stop=000".length, "a"), "unsafe-url");
  }
  for (const path of ["/a|b^c{d}`e?f|g", '/é"ü<i>', "/%41%7C?", "/"]) add(origin + path, "unsafe-url");
  add(`${origin}/verify`, "", "header", true);
  add(`${origin}/verify`, "strict-origin-when-cross-origin", "header", true);
  add(`${origin}/verify`, "strict-origin-when-cross-origin", "meta", true);
  return stops;
}

/** Adds the number of its stop to a URL, in as many characters for each. */
function withNumber(url: string, stop: number): string {
  const [page = "", fragment] = url.split("#");
  const separator = page.includes("?") ? "&" : "?";
  return `${page}${separator}stop=${String(stop).padStart(3, "0")}${fragment === undefined ? "" : `#${fragment}`}`;
}
