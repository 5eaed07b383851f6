import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { root } from "./root.ts";

/** A running Prism, which answers as the spec says. */
export interface Prism {
  /** Where it listens, such as `http://127.0.0.1:4010`. */
  url: string;
  /** Resolves to what it has printed, as soon as it ends by itself; never after `stop`. */
  died: Promise<string>;
  stop(): Promise<void>;
}

const ENDING_SIGNALS = ["SIGTERM", "SIGHUP", "SIGINT"] as const;
const START_TIMEOUT_MS = 30_000;

/** Starts Prism on the hand-written spec; rejects with its log when it does not start. Port 0 picks a free one. */
export async function startPrism(port = 0): Promise<Prism> {
  const bin = createRequire(import.meta.url).resolve("@stoplight/prism-cli/dist/index.js");
  const args = [
    bin,
    "mock",
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "--multiprocess",
    "false",
    "openapi/openapi.yaml",
  ];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const stopWithUs = () => child.kill();
  process.once("exit", stopWithUs);
  // A signal that ends a process runs none of its exit handlers.
  const endWithUs = (signal: NodeJS.Signals) => {
    child.kill();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  for (const signal of ENDING_SIGNALS) process.once(signal, endWithUs);

  let log = "";
  let stopping = false;
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const died = new Promise<string>((resolve) => ended.then(() => stopping || resolve(log)));
  const listening = new Promise<string>((resolve) => {
    const read = (chunk: string) => {
      log += chunk;
      const url = /listening on (http:\S+)/.exec(log)?.[1];
      if (url) resolve(url);
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
  });

  const failed = died.then(() =>
    Promise.reject(new Error(`Prism ended instead of starting. Its log:\n${log}`)),
  );
  const patience = new AbortController();
  const url = await Promise.race([listening, failed, timeout(child, () => log, patience.signal)]);
  patience.abort();
  failed.catch(() => {});
  return {
    url,
    died,
    async stop() {
      stopping = true;
      process.off("exit", stopWithUs);
      for (const signal of ENDING_SIGNALS) process.off(signal, endWithUs);
      child.kill();
      await ended;
    },
  };
}

function timeout(child: ChildProcess, log: () => string, started: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => {
      child.kill();
      reject(new Error(`Prism did not start within ${START_TIMEOUT_MS / 1_000} s. Its log:\n${log()}`));
    }, START_TIMEOUT_MS).unref();
    started.addEventListener("abort", () => clearTimeout(timer));
  });
}
