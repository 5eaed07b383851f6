// Runs the workflows of openapi/tokens.arazzo.yaml: `npm run contract` against the mock, and
// `npm run contract:live -- CLIENT_ID [--allow-live-key]` against the real API.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { startMock } from "./mock.ts";
import { root } from "./root.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { live: { type: "boolean" }, "allow-live-key": { type: "boolean" } },
});

if (values.live) {
  const { COMPLYCUBE_API_KEY: apiKey = "", COMPLYCUBE_BASE_URL: url = "https://api.complycube.com" } =
    process.env;
  const [clientId = process.env.COMPLYCUBE_CLIENT_ID ?? ""] = positionals;
  if (apiKey === "" || clientId === "") {
    refuse(`This mints real tokens in your own account. It needs a test key and a client of that account:

  COMPLYCUBE_API_KEY=test_… npm run contract:live -- CLIENT_ID`);
  }
  if (apiKey.startsWith("live_") && !values["allow-live-key"]) {
    refuse("COMPLYCUBE_API_KEY is a live key. Use a test key, or add --allow-live-key if you mean it.");
  }
  await respect(url, { apiKey, clientId });
} else {
  const { url, stop } = await startMock();
  await respect(url, { apiKey: "test_MOCK_KEY", clientId: "CLIENT_ID" });
  await stop();
}

/** Passes the key in the environment, because `ps` shows arguments. */
async function respect(url: string, inputs: { apiKey: string; clientId: string }): Promise<void> {
  const redocly = spawn(
    `${root}node_modules/.bin/redocly`,
    ["respect", "openapi/tokens.arazzo.yaml", "--server", `tokens=${url}`],
    {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, REDOCLY_CLI_RESPECT_INPUT: JSON.stringify(inputs) },
    },
  );
  const [exitCode] = await once(redocly, "exit");
  process.exitCode = exitCode ?? 1;
}

function refuse(reason: string): never {
  console.error(reason);
  process.exit(2);
}
