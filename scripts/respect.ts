import { redocly } from "./redocly.ts";

/** Runs the workflows against a server and returns the exit code. The key is passed where `ps` does not show it. */
export function respect({
  url,
  apiKey,
  clientId,
}: {
  url: string;
  apiKey: string;
  clientId: string;
}): number {
  process.env.REDOCLY_CLI_RESPECT_INPUT = JSON.stringify({ apiKey, clientId });
  return redocly(["respect", "openapi/tokens.arazzo.yaml", "--server", `tokens=${url}`]).status ?? 1;
}
