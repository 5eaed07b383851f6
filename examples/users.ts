// Stands in for your own users: what matters is that the client ID comes from the server's memory.

/** The users, each with the ID of the ComplyCube client that was created for them. */
const users = new Map([
  ["ada", "CLIENT_ID_OF_ADA"],
  ["grace", "CLIENT_ID_OF_GRACE"],
]);

/** The client ID that is kept with a user; `undefined` for an unknown one. */
export function clientIdOf(user: string): string | undefined {
  return users.get(user);
}

/** What the Web SDK has captured of a client, as the page reports it. */
export interface Capture {
  documentId?: string;
  livePhotoId?: string;
}

/** Kept by client ID. */
export const captures = new Map<string, Capture>();

/**
 * Your own code goes on from here: it creates the checks with the official client, `@complycube/api`, and waits for their
 * outcome by webhook. The IDs come from the page, so use them only together with the client ID of the session.
 *
 * @example await official.check.create(clientId, { type: "document_check", documentId })
 * @example await official.check.create(clientId, { type: "identity_check", documentId, livePhotoId })
 */
export function saveCapture(clientId: string, { documentId, livePhotoId }: Capture): void {
  captures.set(clientId, {
    ...(typeof documentId === "string" && { documentId }),
    ...(typeof livePhotoId === "string" && { livePhotoId }),
  });
}
