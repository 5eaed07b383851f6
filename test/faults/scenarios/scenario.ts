import type { Socket } from "node:net";
import type { Step } from "../../support/fault-server.ts";
import { TOKEN } from "../../support/leak-scan.ts";

/** One fault, and all that a caller can see of it. */
export interface Scenario {
  title: string;
  /** The nth request gets the nth step; the last repeats. `elsewhere` is another host, which counts its requests. */
  steps: (elsewhere: string) => Step[];
  /** Runs before a request is read. */
  onConnection?: (socket: Socket) => void;
  /** True when nothing listens at all. */
  refused?: boolean;
  /** @default 5_000 */
  timeoutMs?: number;
  /** @default 1 */
  maxRetries?: number;
  outcome: Outcome;
  /** How many requests reach the server whole. @default outcome.attempts */
  requests?: number;
  /** The wait that the server asked for. @default 0 */
  atLeastMs?: number;
  /** Where one transport may differ from the others, by its name. */
  outcomeOver?: Record<string, Outcome>;
}

/** What a call settles to; a field that is left out must be `undefined` on the error. */
export interface Outcome {
  token?: string;
  name?: string;
  code?: string;
  attempts: number;
  status?: number;
  type?: string;
  param?: string;
  requestId?: string;
  retryAfterMs?: number;
  timeoutMs?: number;
  body?: unknown;
}

/** The body with which the API refuses a request. */
export const REFUSAL = { type: "invalid_request", message: "'clientId' is invalid", param: "clientId" };

/** The body that carries the token. */
export const MINTED = JSON.stringify({ token: TOKEN });

/** The call resolves to the token. */
export function token(attempts = 1): Outcome {
  return { token: TOKEN, attempts };
}

const NAME_OF_STATUS: Record<number, string> = {
  400: "InvalidRequestError",
  401: "AuthenticationError",
  403: "PermissionDeniedError",
  429: "RateLimitError",
};

/** The call rejects with the class of the status. */
export function apiFailure(status: number, fields: Partial<Outcome> = {}): Outcome {
  return {
    name: NAME_OF_STATUS[status] ?? "ComplyCubeApiError",
    code: "api",
    status,
    attempts: 1,
    ...fields,
  };
}

/** The call rejects with the class of the status and all that `REFUSAL` says. */
export function refusal(status: number, fields: Partial<Outcome> = {}): Outcome {
  return apiFailure(status, { type: "invalid_request", param: "clientId", body: REFUSAL, ...fields });
}

/** The call rejects because a 2xx carried no token. */
export function notAToken(status = 200, fields: Partial<Outcome> = {}): Outcome {
  return { name: "InvalidResponseError", code: "invalid_response", status, attempts: 1, ...fields };
}

/** The call rejects because no usable answer came. */
export function noAnswer(attempts = 2): Outcome {
  return { name: "ConnectionError", code: "connection", attempts };
}

/** The call rejects because the answer was not complete in time. */
export function tooLate(timeoutMs: number, attempts = 1): Outcome {
  return { name: "TimeoutError", code: "timeout", timeoutMs, attempts };
}
