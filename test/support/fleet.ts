import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { root } from "../../scripts/root.ts";

/** What one process of a fleet has said so far. */
export interface Member {
  /** The client IDs whose token came. */
  minted: string[];
  failed: string[];
  /** How often it found Redis away. */
  away: number;
  exited: Promise<unknown>;
  kill(): void;
}

export interface FleetOptions {
  baseUrl: string;
  redisPort: number;
  perSecond: number;
  /** How many processes, and how many tokens each mints. */
  processes: number;
  each: number;
  /** What they trust besides the usual authorities. */
  certificate?: string | undefined;
}

/** Starts real processes, every second one with node-redis and through `fetch`, and lets all go at once when each is ready. */
export async function startFleet({
  baseUrl,
  redisPort,
  perSecond,
  processes,
  each,
  certificate,
}: FleetOptions): Promise<Member[]> {
  const folder = mkdtempSync(join(tmpdir(), "fleet-"));
  const NODE_EXTRA_CA_CERTS = join(folder, "certificate.pem");
  if (certificate !== undefined) writeFileSync(NODE_EXTRA_CA_CERTS, certificate);
  const env = certificate === undefined ? process.env : { ...process.env, NODE_EXTRA_CA_CERTS };
  const children = Array.from({ length: processes }, (_, i) =>
    spawn(
      process.execPath,
      [
        "test/support/fleet-member.ts",
        baseUrl,
        String(redisPort),
        String(perSecond),
        String(each),
        String(i * each),
        i % 2 === 0 ? "ioredis" : "redis",
      ],
      { cwd: root, env, stdio: ["pipe", "pipe", "inherit"] },
    ),
  );
  const members = await Promise.all(children.map(watch));
  void Promise.all(members.map(({ exited }) => exited)).then(() => rmSync(folder, { recursive: true }));
  for (const child of children) child.stdin.write("go\n");
  return members;
}

async function watch(child: ChildProcessByStdio<Writable, Readable, null>): Promise<Member> {
  const member: Member = {
    minted: [],
    failed: [],
    away: 0,
    exited: once(child, "exit"),
    kill: () => child.kill("SIGKILL"),
  };
  const ready = new Promise<void>((resolve) => {
    createInterface(child.stdout).on("line", (text) => {
      const line = JSON.parse(text) as {
        ready?: true;
        away?: true;
        clientId?: string;
        ok?: boolean;
        error?: string;
      };
      if (line.ready) resolve();
      else if (line.away) member.away++;
      else if (line.ok) member.minted.push(line.clientId ?? "");
      else member.failed.push(`${line.clientId}: ${line.error}`);
    });
  });
  await Promise.race([ready, member.exited]);
  return member;
}
