import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { listen } from "./listen.ts";

/** What stands between an endpoint and Prism, and can misbehave in its place. */
export interface RecordingApi {
  url: string;
  /** The bodies of the requests since the last `forget`. */
  sent: unknown[];
  /** What Prism found wrong with them. */
  violations: string[];
  /** What is answered instead of Prism; `"nothing"` keeps the caller waiting. */
  instead: { status: number; body: string } | "nothing" | undefined;
  /** How many callers have gone before they were answered. */
  abandoned: number;
  forget(): void;
  close(): Promise<void>;
}

/** Starts it in front of Prism. */
export async function startRecordingApi(prismUrl: string): Promise<RecordingApi> {
  const server = await listen(async (request, response) => {
    const body = await text(request);
    api.sent.push(JSON.parse(body));
    response.once("close", () => {
      if (!response.writableEnded) api.abandoned += 1;
    });
    if (api.instead === "nothing") return;
    if (api.instead) {
      response.writeHead(api.instead.status).end(api.instead.body);
      return;
    }
    const answer = await forward(request, body, prismUrl);
    const violations = answer.headers.get("sl-violations");
    if (violations) api.violations.push(violations);
    response
      .writeHead(answer.status, { "content-type": "application/json" })
      .end(Buffer.from(await answer.arrayBuffer()));
  });
  const api: RecordingApi = {
    ...server,
    sent: [],
    violations: [],
    instead: undefined,
    abandoned: 0,
    forget() {
      Object.assign(api, { sent: [], violations: [], instead: undefined, abandoned: 0 });
    },
  };
  return api;
}

function forward({ url, headers }: IncomingMessage, body: string, prismUrl: string): Promise<Response> {
  return fetch(prismUrl + url, {
    method: "POST",
    headers: { authorization: headers.authorization ?? "", "content-type": headers["content-type"] ?? "" },
    body,
  });
}
