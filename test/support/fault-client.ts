import { type AttemptEvent, ComplyCube, type ComplyCubeOptions } from "../../src/index.ts";
import { KEY } from "./leak-scan.ts";

/**
 * Makes a client of a test's server, and records its attempts. It has no rate limit, so that only the server and the
 * client's own waits decide how long a call takes.
 */
export function watchedClientOf(server: { url: string }, options: ComplyCubeOptions = {}) {
  const events: AttemptEvent[] = [];
  const onAttempt = (event: AttemptEvent) => void events.push(event);
  const complycube = new ComplyCube({
    apiKey: KEY,
    rateLimit: false,
    baseUrl: server.url,
    onAttempt,
    ...options,
  });
  return { complycube, events };
}

/** The same, where nobody looks at the attempts. */
export function clientOf(server: { url: string }, options: ComplyCubeOptions = {}): ComplyCube {
  return watchedClientOf(server, options).complycube;
}

/** Makes a client whose fetch is a stand-in, so that nothing is sent. */
export function clientOver(
  fetch: NonNullable<ComplyCubeOptions["fetch"]>,
  options: ComplyCubeOptions = {},
): ComplyCube {
  return new ComplyCube({ apiKey: KEY, rateLimit: false, fetch, ...options });
}
