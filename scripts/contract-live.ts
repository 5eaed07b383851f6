// Runs the same workflows against the real API: npm run contract:live -- CLIENT_ID [--allow-live-key]
import { parseArgs } from "node:util";
import { respect } from "./respect.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { "allow-live-key": { type: "boolean", default: false } },
});
const apiKey = process.env.COMPLYCUBE_API_KEY;
const [clientId = process.env.COMPLYCUBE_CLIENT_ID] = positionals;

if (!apiKey || !clientId) {
  console.error(`This mints real tokens in your own account. It needs:

  COMPLYCUBE_API_KEY  a test key, in the environment ${apiKey ? "(set)" : "(missing)"}
  a client ID         of a client in that account, as the argument ${clientId ? "(given)" : "(missing)"}

  COMPLYCUBE_API_KEY=test_… npm run contract:live -- CLIENT_ID`);
  process.exit(2);
}
if (apiKey.startsWith("live_") && !values["allow-live-key"]) {
  console.error("COMPLYCUBE_API_KEY is a live key. Use a test key, or add --allow-live-key if you mean it.");
  process.exit(2);
}
process.exitCode = respect({
  url: process.env.COMPLYCUBE_BASE_URL ?? "https://api.complycube.com",
  apiKey,
  clientId,
});
