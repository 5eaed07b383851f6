// For runtimes that run one file: what a bundler makes of this.
import * as main from "complycube-tokens";
import * as client from "complycube-tokens/client";
import * as fetch from "complycube-tokens/fetch";
import * as handler from "complycube-tokens/handler";
import * as referrer from "complycube-tokens/referrer";
import { runSuite } from "./suite.js";

const parts = { main, client, fetch, handler, referrer };

/** @param {import("./suite.js").Settings} settings */
globalThis.runSuite = (settings) => runSuite(parts, settings);

// A Worker's entry; nobody looks at it elsewhere.
export default {
  /** @param {Request} request */
  async fetch(request) {
    return Response.json(await runSuite(parts, await request.json()));
  },
};
