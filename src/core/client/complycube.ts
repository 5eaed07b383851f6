import { type ComplyCubeOptions, checkClientOptions } from "./options.ts";
import { Tokens } from "./tokens.ts";

/**
 * A client of the ComplyCube API, for a backend. Make one and share it: it holds no connection and no state but its
 * options.
 *
 * @example
 * const complycube = new ComplyCube({ apiKey: process.env.COMPLYCUBE_API_KEY });
 * const token = await complycube.token.generate("CLIENT_ID", { referrer: "https://www.example.com/*" });
 */
export class ComplyCube {
  /** Mints tokens for the ComplyCube Web SDK and Mobile SDKs. */
  readonly token: Tokens;

  /** @throws `TypeError` or `RangeError` that names a wrong or missing option, and never shows the API key */
  constructor(options: ComplyCubeOptions = {}) {
    this.token = new Tokens(checkClientOptions(options));
  }
}
