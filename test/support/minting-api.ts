import type { ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { listen } from "./listen.ts";

type Answer = (clientId: string, response: ServerResponse) => void;

/** Answers with the token that belongs to a client ID, so that a token in the wrong place is noticed. */
export const minting: Answer = (clientId, response) =>
  void response.end(JSON.stringify({ token: `TOKEN_OF_${clientId}` }));

/** Starts a stand-in for the API: it keeps which clients it was asked for, and a test may set what it answers. */
export async function mintingApi() {
  const server = await listen(async (request, response) => {
    const { clientId } = JSON.parse(await text(request)) as { clientId: string };
    api.sent.push(clientId);
    response.setHeader("content-type", "application/json");
    api.answer(clientId, response);
  });
  const api = {
    ...server,
    answer: minting,
    sent: [] as string[],
    reset() {
      api.answer = minting;
      api.sent = [];
    },
  };
  return api;
}
