import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext } from "playwright-core";
import { chromium } from "playwright-core";

const PLACES = [process.env.CHROMIUM_PATH, "/usr/bin/chromium", "/usr/bin/chromium-browser"];

const QUIET_FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Chromium heeds the last flag of this name alone, so that Playwright's wish to keep http pages http is repeated.
  // A page that is answered inside the browser counts as public, and may then not call a loopback API.
  "--disable-features=DisableLoadExtensionCommandLineSwitch,HttpsUpgrades,LocalNetworkAccessChecks",
  // The last line of defence: no name leads out of this machine. *.test is for hosts that are not loopback by name.
  "--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE [::1]",
  "--ignore-certificate-errors", // Of loopback, as nothing else is reached.
];

const isExecutable = (path: string) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/**
 * Where the browser is. Without one the tests are skipped out loud, except in CI, where that would hide a failure.
 *
 * @throws {Error} in CI, when there is none
 */
export function findChromium(what: string): string | undefined {
  const found = PLACES.find((path) => path && isExecutable(path));
  if (found) return found;
  const message = `${what}: no Chromium; install Debian's "chromium" or set CHROMIUM_PATH`;
  if (process.env.CI) throw new Error(message);
  console.warn(`SKIPPED: ${message}`);
  return undefined;
}

/** A running browser with a profile of its own. */
export interface Chromium {
  context: BrowserContext;
  /** Ends the browser and deletes its profile. */
  close(): Promise<void>;
}

/** Starts a browser that reaches nothing but loopback, with an unpacked extension if a folder is given. */
export async function launchChromium(executablePath: string, extension?: string): Promise<Chromium> {
  const profile = mkdtempSync(join(tmpdir(), "complycube-chromium-"));
  const withExtension = extension
    ? [`--load-extension=${extension}`, `--disable-extensions-except=${extension}`]
    : [];
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: false, // Playwright's own headless mode loads no extensions; the flag above starts Chromium's.
    ignoreDefaultArgs: ["--disable-extensions"],
    args: [...QUIET_FLAGS, ...withExtension],
  });
  return {
    context,
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
