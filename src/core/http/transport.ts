import type { Fetch, Transport } from "./exchange.ts";
import { throughFetch } from "./through-fetch.ts";
import { throughNode } from "./through-node.ts";

/**
 * Returns the transport of one client: over the `fetch` that was passed, else Node.js's own `https`, else the global
 * `fetch`.
 */
export function transportOver(fetch: Fetch | undefined, baseUrl: string): Transport {
  return (
    (fetch === undefined ? throughNode(baseUrl) : undefined) ?? throughFetch(fetch ?? globalFetch, baseUrl)
  );
}

/** Looked up at each call, so that interceptors that were installed later are used. */
const globalFetch: Fetch = (url, init) => globalThis.fetch(url, init);
