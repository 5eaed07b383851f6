// Stands in for your own sessions, where no framework brings them.
import { clientIdOf } from "./users.ts";

const sessions = new Map<string, { clientId: string }>();

/** Starts a session and returns its cookie; `undefined` for an unknown user. Yours asks for a password, too. */
export function signIn(user: string): string | undefined {
  const clientId = clientIdOf(user);
  if (clientId === undefined) return undefined;
  const id = crypto.randomUUID();
  sessions.set(id, { clientId });
  return sessionCookie(id);
}

/** Finds the session of a request by its cookie. */
export function sessionOf({ headers }: Request): { clientId: string } | undefined {
  return sessions.get(sessionId(headers) ?? "");
}

/** Behind https, add `Secure` and call it `__Host-session`. */
export function sessionCookie(id: string): string {
  return `session=${id}; HttpOnly; SameSite=Lax; Path=/`;
}

export function sessionId(headers: Headers): string | undefined {
  return /(?:^|;\s*)session=([\w-]+)/.exec(headers.get("cookie") ?? "")?.[1];
}
