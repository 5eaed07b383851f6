import { afterEach, describe, expect, test, vi } from "vitest";
import { ComplyCube } from "../../src/index.ts";

/** What each place has in its global scope; `undefined` takes away what Node.js has. */
const noProcess = { process: undefined };
const page = { ...noProcess, window: {}, document: {} };
const worker = { ...noProcess, WorkerGlobalScope: class {} };

const browsers: [string, Record<string, unknown>][] = [
  ["a web page", page],
  ["a web page with a polyfill of process", { ...page, process: { env: {}, versions: {}, browser: true } }],
  ["a web page with a bare process.env", { ...page, process: { env: {} } }],
  ["a dedicated worker", { ...worker, DedicatedWorkerGlobalScope: class {} }],
  ["a service worker", { ...worker, ServiceWorkerGlobalScope: class {} }],
  ["a worker with a polyfill of process", { ...worker, process: { env: {}, versions: {} } }],
  ["React Native", { ...noProcess, window: {}, navigator: { product: "ReactNative" } }],
  [
    "a window of Electron with Node.js in it",
    { ...page, process: { env: {}, versions: { node: "22.0.0", electron: "38.0.0" }, type: "renderer" } },
  ],
  [
    "a worker of Electron with Node.js in it",
    { ...worker, process: { env: {}, versions: { node: "22.0.0", electron: "38.0.0" }, type: "worker" } },
  ],
  ["a worker of NW.js", { ...worker, process: { env: {}, versions: { node: "22.0.0", nw: "0.100.0" } } }],
  ["a page of NW.js", { ...page, process: { env: {}, versions: { node: "22.0.0", nw: "0.100.0" } } }],
];

const servers: [string, Record<string, unknown>][] = [
  ["Node.js", {}],
  ["Node.js with a DOM, as in a test runner", { window: {}, document: {} }],
  ["Node.js with a DOM and worker classes", { window: {}, document: {}, WorkerGlobalScope: class {} }],
  ["Bun", { ...noProcess, Bun: { version: "1.3.0" } }],
  ["Bun with a DOM, as in a test runner", { ...page, Bun: { version: "1.3.0" } }],
  ["Deno", { ...noProcess, Deno: { version: { deno: "2.5.0" } } }],
  ["Deno before 2, which had a window", { ...page, Deno: { version: { deno: "1.40.0" } } }],
  ["a Deno worker", { ...worker, Deno: { version: { deno: "2.5.0" } } }],
  ["Cloudflare Workers", { ...worker, WebSocketPair: class {} }],
  ["a runtime that nobody has heard of", noProcess],
  ["a runtime without a navigator", { ...noProcess, navigator: undefined }],
  ["a runtime with a window and no document", { ...noProcess, window: {} }],
  ["a runtime with a document and no window", { ...noProcess, document: {} }],
  ["Vercel Edge", { ...worker, EdgeRuntime: "vercel" }],
  ["NW.js before it opens a page", { process: { env: {}, versions: { node: "22.0.0", nw: "0.100.0" } } }],
  [
    "Electron's main process",
    { process: { env: {}, versions: { node: "22.0.0", electron: "38.0.0" }, type: "browser" } },
  ],
];

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("new ComplyCube", () => {
  test.each(browsers)("refuses %s, says why and what to do", (_, globals) => {
    stub(globals);

    expect(() => new ComplyCube({ apiKey: "test_KEY" })).toThrow(
      /^ComplyCube must not run in a browser or an app: .*API key.* on your server .*dangerouslyAllowBrowser/,
    );
  });

  test.each(browsers)("refuses %s before it looks at the key", (_, globals) => {
    stub(globals);

    expect(() => new ComplyCube({ apiKey: "" })).toThrow(/^ComplyCube must not run in a browser/);
  });

  test.each(browsers)("runs in %s when told to", (_, globals) => {
    stub(globals);

    expect(() => new ComplyCube({ apiKey: "test_KEY", dangerouslyAllowBrowser: true })).not.toThrow();
  });

  test.each(servers)("runs in %s", (_, globals) => {
    stub(globals);

    expect(() => new ComplyCube({ apiKey: "test_KEY" })).not.toThrow();
  });
});

function stub(globals: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
}
