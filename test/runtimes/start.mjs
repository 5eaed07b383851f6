// For runtimes that find packages by themselves. Usage: RUNTIME start.mjs SETTINGS
import * as main from "complycube-tokens";
import * as client from "complycube-tokens/client";
import * as fetch from "complycube-tokens/fetch";
import * as handler from "complycube-tokens/handler";
import * as referrer from "complycube-tokens/referrer";
import { runSuite } from "./suite.js";

const [settings] = process.argv.slice(-1);
const results = await runSuite({ main, client, fetch, handler, referrer }, JSON.parse(settings));
console.log(`\nRESULTS ${JSON.stringify(results)}`);
