import type { Fetch } from "../../src/index.ts";

/** Every transport of the package; each runs through every scenario. */
export const transports: { name: string; fetch: Fetch | undefined }[] = [
  { name: "node:https", fetch: undefined },
  { name: "global fetch", fetch: (url, init) => globalThis.fetch(url, init) },
];
