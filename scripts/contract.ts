// Runs the workflows of openapi/tokens.arazzo.yaml: `npm run contract` against the mock, and
// `npm run contract:live -- CLIENT_ID [--allow-live-key]` against the real API.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { startMock } from "./mock.ts";
import { root } from "./root.ts";

interface Server {
  url: string;
  apiKey: string;
  clientId: string;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { live: { type: "boolean" }, "allow-live-key": { type: "boolean" } },
});

if (values.live) {
  process.exitCode = await respect(realApi());
} else {
  const { url, stop } = await startMock();
  process.exitCode = await respect({ url, apiKey: "test_MOCK_KEY", clientId: "CLIENT_ID" });
  await stop();
}

/** The key is passed in the environment, because `ps` shows arguments. */
async function respect({ url, apiKey, clientId }: Server): Promise<number> {
  const redocly = spawn("redocly", ["respect", "openapi/tokens.arazzo.yaml", "--server", `tokens=${url}`], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, REDOCLY_CLI_RESPECT_INPUT: JSON.stringify({ apiKey, clientId }) },
  });
  const [exitCode] = await once(redocly, "exit");
  return exitCode ?? 1;
}

function realApi(): Server {
  const { COMPLYCUBE_API_KEY: apiKey = "", COMPLYCUBE_BASE_URL: url = "https://api.complycube.com" } =
    process.env;
  const [clientId = process.env.COMPLYCUBE_CLIENT_ID ?? ""] = positionals;
  if (apiKey === "" || clientId === "") {
    console.error(`This mints real tokens in your own account. It needs a test key and a client of that account:

  COMPLYCUBE_API_KEY=test_… npm run contract:live -- CLIENT_ID`);
    process.exit(2);
  }
  if (apiKey.startsWith("live_") && !values["allow-live-key"]) {
    console.error(
      "COMPLYCUBE_API_KEY is a live key. Use a test key, or add --allow-live-key if you mean it.",
    );
    process.exit(2);
  }
  return { url, apiKey, clientId };
}
