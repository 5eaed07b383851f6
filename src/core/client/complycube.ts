import { callHook } from "../call-hook.ts";
import { misuse } from "../checks.ts";
import { transportOver } from "../http/transport.ts";
import { createLimit } from "../limit/account-limit.ts";
import { type ComplyCubeOptions, checkClientOptions } from "./options.ts";
import { Tokens } from "./tokens.ts";

/**
 * A client of the ComplyCube API, for a backend. Make one and share it: it holds no state but its options, and all
 * clients of a process share their connections.
 *
 * @example
 * const complycube = new ComplyCube({ apiKey: process.env.COMPLYCUBE_API_KEY });
 * const token = await complycube.token.generate("CLIENT_ID", { referrer: "https://www.example.com/*" });
 */
export class ComplyCube {
  /** Mints tokens for the ComplyCube Web SDK and Mobile SDKs. */
  readonly token: Tokens;
  readonly #preconnect: () => void;

  /** @throws `TypeError` or `RangeError` that names a wrong or missing option, and never shows the API key */
  constructor(options: ComplyCubeOptions = {}) {
    defineMissingProperties();
    const settings = checkClientOptions(options);
    const limit = createLimit(settings);
    const transport = transportOver(settings.fetch, settings.baseUrl, (sentAt, lateMs) =>
      limit?.sent(sentAt, lateMs),
    );
    this.token = new Tokens(settings, transport, limit);
    this.#preconnect = transport.preconnect;
  }

  /**
   * Opens the connection of the next call in advance, so that the call does not wait for it. Call it when a token will
   * probably be needed soon. At most one connection is opened in advance, and none while another is free.
   *
   * It never throws. It does nothing over a `fetch` and behind a proxy. Nothing has to be closed.
   */
  preconnect(): void {
    callHook(this.#preconnect);
  }
}

/** The other properties of the client of `@complycube/api`. They are not in the types, so that they do not compile. */
const OF_THE_OFFICIAL_CLIENT =
  "client document livePhoto liveVideo check workflowSession report address riskProfile webhook auditLog teamMember flow static lookup autofill accountInfo";

/** Makes them throw. Called with the first client and not at import, so that a bundler can drop an unused class. */
function defineMissingProperties(): void {
  if (Object.hasOwn(ComplyCube.prototype, "client")) return;
  for (const name of OF_THE_OFFICIAL_CLIENT.split(" ")) {
    Object.defineProperty(ComplyCube.prototype, name, {
      get() {
        throw misuse(
          `complycube.${name}`,
          "does not exist: complycube-tokens only mints tokens",
          "Keep a client of @complycube/api for it.",
        );
      },
    });
  }
}
