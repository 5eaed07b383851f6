import { text } from "node:stream/consumers";
import { matchesReferrer } from "../../src/referrer/index.ts";
import { listen } from "./listen.ts";

const HOUR_MS = 3_600_000;

/** Stands in for ComplyCube on an origin of its own: it mints, and takes the Web SDK's steps from pages. */
export interface ComplyCubeStandIn {
  url: string;
  /** The requests for tokens, oldest first. */
  minted: { clientId: string; referrer: string }[];
  /** The steps that pages have sent, with the `Referer` that came and what was answered. */
  steps: { referer: string | undefined; answer: number }[];
  /** Lets an hour pass, after which every token minted so far has expired. */
  passAnHour(): void;
  close(): Promise<void>;
}

/** Starts it. It holds the `Referer` of a page against the pattern in its token, as ComplyCube documents it. */
export async function startComplyCubeStandIn(): Promise<ComplyCubeStandIn> {
  let now = Date.now();

  const mint = (request: { clientId: string; referrer: string }) => {
    standIn.minted.push(request);
    const claims = { iss: standIn.url, exp: now + HOUR_MS - 1, referrer: request.referrer };
    return ["{}", JSON.stringify(claims), "signature"]
      .map((part) => Buffer.from(part).toString("base64url"))
      .join(".");
  };
  const judge = (token = "", referer = ""): [status: number, body: object] => {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    if (claims.exp < now) return [401, { type: "token_expired", message: "The token has expired." }];
    if (matchesReferrer(claims.referrer, referer)) return [200, {}];
    return [403, { type: "not_authorized", message: "The page is not the token's." }];
  };

  const server = await listen(async (request, response) => {
    const answer = (status: number, body: object) =>
      response
        .writeHead(status, {
          "content-type": "application/json",
          "access-control-allow-origin": "*",
          "access-control-allow-headers": "authorization",
        })
        .end(JSON.stringify(body));
    if (request.method === "OPTIONS") return answer(200, {});
    if (request.url === "/v1/tokens") return answer(200, { token: mint(JSON.parse(await text(request))) });
    const { authorization, referer } = request.headers;
    const [status, body] = judge(authorization, referer);
    standIn.steps.push({ referer, answer: status });
    return answer(status, body);
  });
  const standIn: ComplyCubeStandIn = {
    ...server,
    minted: [],
    steps: [],
    passAnHour() {
      now += HOUR_MS;
    },
  };
  return standIn;
}
