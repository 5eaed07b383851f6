/**
 * The error for an answer whose body says nothing. It has the fields of the API's own errors, so `message` is always
 * there.
 */
export interface UnreadableAnswer {
  type: string;
  message: string;
}

/** Makes the error for an answer without an error body, or for a 2xx without a token, in the two plain clients. */
export function unreadable({ status, ok }: Response): UnreadableAnswer {
  const what = ok
    ? "without a token in its body"
    : status < 400 // 0 where a browser hides the redirect.
      ? "with a redirect, and none is followed"
      : "without saying why";
  return { type: "unreadable_answer", message: `The API answered ${status} ${what}.` };
}

/** Returns the body of a 2xx where it is a JSON object with a token, else `undefined`. */
export function tokenBody(text: string): { token: string } | undefined {
  try {
    const body = JSON.parse(text);
    if (Object.hasOwn(body, "token") && typeof body.token === "string") return body;
  } catch {} // The parser's error would quote the body, so it is dropped. `null` has no fields to look at.
  return undefined;
}
