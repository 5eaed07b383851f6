// Whatever people pass as `fetch`.
import type { Fetch } from "complycube-tokens";
import nodeFetch from "node-fetch";
import { Agent, fetch as undiciFetch } from "undici";

const dispatcher = new Agent();
export const fetches: Fetch[] = [
  fetch,
  globalThis.fetch,
  (url, init) => fetch(url, init),
  // As an object: DOM does not know a dispatcher, and Node.js wants the one of the undici within.
  (url, init) => fetch(url, { ...init, dispatcher } as object),
  undiciFetch,
  (url, init) => undiciFetch(url, { ...init, dispatcher }),
  nodeFetch,
  async () => Response.json({ token: "TOKEN" }),
  async () => ({ status: 200, headers: new Map<string, string>(), text: async () => '{"token":"TOKEN"}' }),
];
// @ts-expect-error no text()
export const without: Fetch = async () => ({ status: 200, headers: new Map<string, string>() });
