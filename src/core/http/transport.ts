import type { Fetch, OnSent, Transport } from "./exchange.ts";
import { throughFetch } from "./through-fetch.ts";
import { throughNode } from "./through-node.ts";

/**
 * Returns the transport of one client: over the `fetch` that was passed, else Node.js's own `https`, else the global
 * `fetch`.
 */
export function transportOver(fetch: Fetch | undefined, baseUrl: string, onSent: OnSent): Transport {
  return (!fetch && throughNode(baseUrl, onSent)) || throughFetch(fetch ?? globalFetch, baseUrl, onSent);
}

/** Looked up at each call, so that interceptors that were installed later are used. */
const globalFetch: Fetch = (url, init) => globalThis.fetch(url, init);
