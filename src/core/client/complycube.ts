import { callHook } from "../call-hook.ts";
import { misuse } from "../checks.ts";
import { transportOver } from "../http/transport.ts";
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
    refuseWhatIsNotHere();
    const settings = checkClientOptions(options);
    const transport = transportOver(settings.fetch);
    this.token = new Tokens(settings, transport);
    this.#preconnect = () => transport.preconnect?.(settings.baseUrl);
  }

  /**
   * Opens the connection for the next call, so that the call need not wait for it. Call it when a token is likely to be
   * wanted soon. One connection at most is opened ahead, and none where one is free already.
   *
   * It never throws, and does nothing over a `fetch` and behind a proxy. Nothing has to be closed.
   */
  preconnect(): void {
    callHook(this.#preconnect);
  }
}

/** What the client of `@complycube/api` has beside `token`. Not in the types: the compiler says that it is not there. */
const OF_THE_OFFICIAL_CLIENT =
  "client document livePhoto liveVideo check workflowSession report address riskProfile webhook auditLog teamMember flow static lookup autofill accountInfo";

/** Done with the first client and not at import, so that a bundler can leave the class out where nobody uses it. */
function refuseWhatIsNotHere(): void {
  if (Object.hasOwn(ComplyCube.prototype, "client")) return;
  for (const name of OF_THE_OFFICIAL_CLIENT.split(" ")) {
    Object.defineProperty(ComplyCube.prototype, name, {
      configurable: true,
      get() {
        throw misuse(
          `complycube.${name}`,
          "is not here, as complycube-tokens mints tokens and does nothing else",
          "Keep @complycube/api for it, as a client of its own.",
        );
      },
    });
  }
}
