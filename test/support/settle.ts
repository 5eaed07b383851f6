import { expect } from "vitest";
import type { ComplyCube, RequestOptions } from "../../src/index.ts";
import { KEY, leaks, TOKEN } from "./leak-scan.ts";

/** What the calls of the fault tests ask a token for. */
export const TARGET = { referrer: "https://www.example.com/*" };

/** Makes one call. Fails when what it rejects with, or the client, shows the key or the token. */
export async function settle(
  complycube: ComplyCube,
  options?: RequestOptions,
): Promise<{ token?: string; error?: unknown }> {
  const settled = await complycube.token.generate("CLIENT_ID", TARGET, options).then(
    (token) => ({ token }),
    (error: unknown) => ({ error }),
  );
  expect(leaks([complycube, "error" in settled ? settled.error : undefined], [KEY, TOKEN]), "leaks").toEqual(
    [],
  );
  return settled;
}

/** What it throws. Fails when that shows the key or the token. */
export function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    expect(leaks(error, [KEY, TOKEN]), "leaks").toEqual([]);
    return error;
  }
  return undefined;
}
