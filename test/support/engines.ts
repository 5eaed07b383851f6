import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { findChromium, launchChromium } from "./chromium.ts";
import { freePort } from "./free-port.ts";

/** A browser engine that can be told to open one page, in a profile of its own, with no certificate checked. */
export interface Engine {
  name: "Chromium" | "Firefox" | "WebKit";
  isInstalled: boolean;
  /** Starts the browser and opens a page; the function that it returns ends the browser and deletes its profile. */
  open(url: string): Promise<() => Promise<void>>;
}

const FIREFOX = "/usr/bin/firefox-esr";
const WEBKIT_DRIVER = "/usr/bin/WebKitWebDriver";
const XVFB = "/usr/bin/Xvfb";
const MINI_BROWSER = ["4.1", "4.0", "6.0"]
  .map(
    (version) =>
      `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/webkit2gtk-${version}/MiniBrowser`,
  )
  .find((path) => existsSync(path));

/**
 * The three engines. One that is missing is skipped out loud, except in CI, where that would hide a failure.
 *
 * @throws {Error} in CI, when one is missing
 */
export function findEngines(what: string): Engine[] {
  const chromium = findChromium(what);
  return [
    {
      name: "Chromium",
      isInstalled: chromium !== undefined,
      open: (url) => openChromium(chromium ?? "", url),
    },
    {
      name: "Firefox",
      isInstalled: isHere(what, "firefox-esr", existsSync(FIREFOX)),
      open: openFirefox,
    },
    {
      name: "WebKit",
      isInstalled: isHere(
        what,
        "webkit2gtk-driver and xvfb",
        existsSync(WEBKIT_DRIVER) && existsSync(XVFB) && MINI_BROWSER !== undefined,
      ),
      open: openWebKit,
    },
  ];
}

function isHere(what: string, packages: string, isInstalled: boolean): boolean {
  const message = `${what}: install Debian's ${packages}`;
  if (!isInstalled && process.env.CI) throw new Error(message);
  if (!isInstalled) console.warn(`SKIPPED: ${message}`);
  return isInstalled;
}

async function openChromium(executablePath: string, url: string) {
  const browser = await launchChromium(executablePath);
  const [page] = browser.context.pages();
  await page?.goto(url, { waitUntil: "commit" });
  return () => browser.close();
}

const FIREFOX_PREFS = {
  "dom.security.https_first": false,
  "dom.security.https_first_pbm": false,
  // Loopback is never sent to a proxy, and everything else goes nowhere.
  "network.proxy.type": 1,
  "network.proxy.http": "127.0.0.1",
  "network.proxy.http_port": 9,
  "network.proxy.ssl": "127.0.0.1",
  "network.proxy.ssl_port": 9,
  "app.update.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
};

/** Drives Firefox by WebDriver BiDi, which is a WebSocket. */
async function openFirefox(url: string) {
  const profile = mkdtempSync(join(tmpdir(), "complycube-firefox-"));
  const prefs = Object.entries(FIREFOX_PREFS).map(
    (pref) => `user_pref(${JSON.stringify(pref).slice(1, -1)});`,
  );
  writeFileSync(join(profile, "user.js"), prefs.join("\n"));
  const args = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"];
  const firefox = start(FIREFOX, args, { HOME: profile });
  const close = async () => {
    await end(firefox);
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const [, address] = await line(firefox.stderr, /WebDriver BiDi listening on (ws:\S+)/);
    const send = await connect(`${address}/session`);
    await send("session.new", { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
    const { contexts } = await send<{ contexts: { context: string }[] }>("browsingContext.getTree", {});
    await send("browsingContext.navigate", { context: contexts[0]?.context, url, wait: "none" });
    return close;
  } catch (error) {
    await close();
    throw error;
  }
}

type Send = <T>(method: string, params: object) => Promise<T>;

async function connect(address: string): Promise<Send> {
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`no connection to ${address}`));
  });
  let id = 0;
  return (method, params) =>
    new Promise((resolve, reject) => {
      const own = ++id;
      socket.addEventListener("message", ({ data }) => {
        const message = JSON.parse(data);
        if (message.id !== own) return;
        if (message.type === "success") resolve(message.result);
        else reject(new Error(`${method}: ${message.message}`));
      });
      socket.send(JSON.stringify({ id: own, method, params }));
    });
}

/** Drives WebKitGTK's small browser by WebDriver, on a display that nobody sees. */
async function openWebKit(url: string) {
  const profile = mkdtempSync(join(tmpdir(), "complycube-webkit-"));
  const display = start(XVFB, ["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"], {});
  const children = [display];
  const close = async () => {
    await Promise.all(children.map(end));
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const [number] = await line(display.stdout, /^\d+$/);
    const port = await freePort();
    const driver = start(WEBKIT_DRIVER, ["--host=127.0.0.1", `--port=${port}`], {
      HOME: profile,
      XDG_RUNTIME_DIR: profile,
      DISPLAY: `:${number}`,
      GDK_BACKEND: "x11",
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1", // Its sandbox does not start for root, as in a container.
    });
    children.unshift(driver);
    const command = async (path: string, body: object) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: "POST",
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
      return ((await response.json()) as { value: { sessionId: string } }).value;
    };
    await untilListening(port);
    const { sessionId } = await command("/session", {
      capabilities: {
        alwaysMatch: {
          acceptInsecureCerts: true,
          pageLoadStrategy: "none",
          "webkitgtk:browserOptions": { binary: MINI_BROWSER, args: ["--automation"] },
        },
      },
    });
    await command(`/session/${sessionId}/url`, { url });
    return close;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Starts a program in a process group of its own, so that it can be ended with all that it starts. */
function start(program: string, args: string[], environment: Record<string, string>) {
  return spawn(program, args, {
    env: { PATH: process.env.PATH, LANG: "C.UTF-8", ...environment },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const ended =
    child.exitCode === null && child.signalCode === null
      ? new Promise((resolve) => child.once("exit", resolve))
      : undefined;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {} // The whole group is gone.
  await ended;
}

/** Waits for a line of a program's output; what comes later is read and dropped. */
function line(output: Readable, wanted: RegExp): Promise<RegExpExecArray> {
  const seen: string[] = [];
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: output });
    lines.on("line", (text) => {
      seen.push(text);
      const found = wanted.exec(text);
      if (found) resolve(found);
    });
    lines.on("close", () => reject(new Error(`the browser ended: ${seen.join("\n")}`)));
  });
}

async function untilListening(port: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await fetch(`http://127.0.0.1:${port}/status`);
      return;
    } catch (error) {
      if (tries === 200) throw error;
      await wait(50);
    }
  }
}
