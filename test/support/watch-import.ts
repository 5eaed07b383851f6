// Loads a file of dist/, and prints what that read, loaded, touched and left behind.
// Usage: node test/support/watch-import.ts index.js|index.cjs|…
import { createRequire, registerHooks } from "node:module";

const [file = ""] = process.argv.slice(2);
const root = new URL("../../", import.meta.url).href;
const require = createRequire(import.meta.url);
const nothing: string = "data:text/javascript,";
await import(nothing); // What Node.js loads for its first import is not ours.

/** Everything that costs start-up or keeps a process alive. A getter also sees who only reads it, to extend it say. */
const WATCHED = [
  ..."AbortController AbortSignal Blob FormData Headers ReadableStream Request Response TextDecoder TextEncoder".split(
    " ",
  ),
  ..."URL URLSearchParams WebSocket crypto fetch performance queueMicrotask structuredClone".split(" "),
  ..."setImmediate setInterval setTimeout".split(" "),
];
const touched: string[] = [];
for (const name of WATCHED) {
  const original = Object.getOwnPropertyDescriptor(globalThis, name);
  if (original === undefined) throw new Error(`${name} is no global.`);
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() {
      // Node.js itself uses some of these while it loads a file.
      if (/\n {4}at (?!.*node:).*\/dist\//.test(new Error().stack ?? "")) touched.push(name);
      return original.get ? original.get.call(globalThis) : original.value;
    },
  });
}

const files = new Set<string>();
registerHooks({
  resolve(request, context, nextResolve) {
    const resolved = nextResolve(request, context);
    files.add(resolved.url);
    return resolved;
  },
});
const { moduleLoadList } = process as unknown as { moduleLoadList: string[] };
const loadedBefore = moduleLoadList.length;
const resourcesBefore = process.getActiveResourcesInfo();

if (file.endsWith(".cjs")) require(`../../dist/${file}`);
else await import(`../../dist/${file}`);

console.log(
  JSON.stringify({
    files: [...files].map((url) => (url.startsWith(root) ? url.slice(root.length) : url)),
    builtins: moduleLoadList.slice(loadedBefore),
    touched,
    resources: process.getActiveResourcesInfo().slice(resourcesBefore.length),
  }),
);
