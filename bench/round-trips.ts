// Counts what each client costs the server in each situation: connections, handshakes and requests. No clock is read.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { root } from "../scripts/root.ts";
import { type CountingServer, type Counts, startCountingServer } from "../test/support/counting-server.ts";
import { makeCertificate } from "../test/support/tls-server.ts";
import { TOKEN } from "./exchange.ts";
import { formatRoundTrips } from "./report.ts";
import { rivals } from "./rivals.ts";

/** What one client cost the server in one situation. */
export interface RoundTrips {
  situation: string;
  rival: string;
  /** Whether the calls brought tokens; `undefined` counts where the client has no such thing. */
  outcome: "minted" | "fails" | "hangs";
  counts?: Counts;
}

/** What a client is asked to do: so many calls one after the other in one tick, so many at once, or `preconnect`. */
export type Task = { calls: number; atOnce: number } | "preconnect";
/** What a client answers. `nothing` where it has no `preconnect`. */
export type Outcome = "minted" | "fails" | "nothing";

interface Situation {
  name: string;
  tls?: "TLSv1.2";
  /** Only what comes after it is counted. */
  before?: Task;
  /** What happens to the server in between. */
  between?: (server: CountingServer) => unknown;
  task: Task;
}

const ONE: Task = { calls: 1, atOnce: 1 };
/** The deadline of an attempt where a connection is dead, for those who have one. */
const TIMEOUT_MS = 2_000;
const HANGS_AFTER_MS = 10_000;

const situations: Situation[] = [
  { name: "first token", task: ONE },
  { name: "second, in the same tick", task: { calls: 2, atOnce: 1 } },
  { name: "second, later", before: ONE, between: () => delay(200), task: ONE },
  { name: "ten at once", task: { calls: 1, atOnce: 10 } },
  { name: "after 6 s idle", before: ONE, between: () => delay(6_000), task: ONE },
  { name: "after 30 s idle", before: ONE, between: () => delay(30_000), task: ONE },
  { name: "just closed by the server", before: ONE, between: (server) => server.turn("close"), task: ONE },
  {
    name: "kept connection silently dead",
    before: ONE,
    between: (server) => server.turn("silent"),
    task: ONE,
  },
  { name: "first token, TLS 1.2", tls: "TLSv1.2", task: ONE },
  { name: "connecting again, TLS 1.2", tls: "TLSv1.2", before: ONE, between: hangUp, task: ONE },
  { name: "connecting again, TLS 1.3", before: ONE, between: hangUp, task: ONE },
  { name: "after preconnect", before: "preconnect", between: () => delay(200), task: ONE },
];

/** Goes through all situations with every rival. The long ones are left out of a quick run. */
export async function countRoundTrips(quick: boolean): Promise<RoundTrips[]> {
  const certificate = makeCertificate();
  if (certificate === undefined) {
    console.error("SKIPPED: the round trips, because there is no openssl.");
    return [];
  }
  mkdirSync(`${root}.reports/bench`, { recursive: true });
  const certificateFile = `${root}.reports/bench/certificate.pem`;
  writeFileSync(certificateFile, certificate.slice(certificate.indexOf("-----BEGIN CERTIFICATE")));

  const found: RoundTrips[] = [];
  for (const situation of quick ? situations.slice(0, 2) : situations) {
    found.push(
      ...(await Promise.all(rivals.map(({ name }) => count(situation, name, certificate, certificateFile)))),
    );
  }
  return found;
}

async function hangUp(server: CountingServer): Promise<void> {
  await delay(200); // For the session of TLS 1.3, which comes after the answer.
  for (const socket of server.sockets) socket.destroy();
  await delay(200);
}

async function count(
  { name, tls, before, between, task }: Situation,
  rival: string,
  certificate: string,
  certificateFile: string,
): Promise<RoundTrips> {
  const body = JSON.stringify({ token: TOKEN });
  const answer = (_: unknown, response: { end(body: string): unknown }) => void response.end(body);
  const server = await startCountingServer(certificate, answer, tls === undefined ? {} : { tls });
  const child = fork(`${root}bench/round-trips-client.ts`, [rival, server.url], {
    cwd: root,
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certificateFile, BENCH_TIMEOUT_MS: String(TIMEOUT_MS) },
  });
  const ask = async (asked: Task): Promise<Outcome | "hangs"> => {
    const answered = once(child, "message").then(([outcome]) => outcome as Outcome);
    child.send({ task: asked });
    return Promise.race([answered, delay(HANGS_AFTER_MS, "hangs" as const, { ref: false })]);
  };
  try {
    await once(child, "message");
    const prepared = before === undefined ? "minted" : await ask(before);
    if (prepared === "nothing") return { situation: name, rival, outcome: "fails" };
    await between?.(server);
    // What was opened ahead belongs to the price.
    const earlier = before === "preconnect" || before === undefined ? undefined : { ...server.counts };
    const outcome = (await ask(task)) as RoundTrips["outcome"];
    return { situation: name, rival, outcome, counts: difference(server.counts, earlier) };
  } finally {
    child.kill();
    server.close();
  }
}

function difference(counts: Counts, earlier: Counts | undefined): Counts {
  const names = Object.keys(counts) as (keyof Counts)[];
  return Object.fromEntries(
    names.map((name) => [name, counts[name] - (earlier?.[name] ?? 0)]),
  ) as unknown as Counts;
}

if (import.meta.main) console.log(formatRoundTrips(await countRoundTrips(process.argv.includes("--quick"))));
