/**
 * Throws where the API key would be public: in a web page, a browser's worker or a React Native app. Servers that look
 * like a browser in part are accepted: Node.js with a DOM for tests, Bun, Deno, Cloudflare Workers, Vercel Edge.
 */
export function refuseBrowser(allowed: boolean): void {
  if (allowed || isServer()) return;
  const scope = globalThis as { window?: unknown; document?: unknown; WorkerGlobalScope?: unknown };
  const isApp = globalThis.navigator?.product === "ReactNative";
  const isPage = scope.window !== undefined && scope.document !== undefined;
  if (!isApp && !isPage && scope.WorkerGlobalScope === undefined) return;
  throw new TypeError(
    "ComplyCube must not run in a browser or an app: everyone who has it could read and use the API key. " +
      "Make the token on your server and send only the token to the page or app. " +
      "For a test that has no real key, pass { dangerouslyAllowBrowser: true }.",
  );
}

function isServer(): boolean {
  const scope = globalThis as Record<string, unknown>;
  const { process } = globalThis as {
    process?: { versions?: { node?: string; nw?: string }; type?: string };
  };
  return (
    // A polyfill of `process` in a page has no version. In NW.js and Electron a page has one, and is recognised otherwise.
    (typeof process?.versions?.node === "string" &&
      process.versions.nw === undefined &&
      process.type !== "renderer" &&
      process.type !== "worker") ||
    scope.Bun !== undefined ||
    scope.Deno !== undefined ||
    scope.EdgeRuntime !== undefined ||
    scope.WebSocketPair !== undefined // Cloudflare Workers
  );
}
