// MSW's types need the DOM's, so this is apart from the server.
import {
  createMswHandlers,
  type HandleGenerateTokenResponse,
  handleGenerateToken,
} from "complycube-tokens/msw";
import { type HttpHandler, HttpResponse } from "msw";

const answer: HandleGenerateTokenResponse = { body: { token: "TOKEN" } };
export const handlers: HttpHandler[] = [
  handleGenerateToken(answer),
  handleGenerateToken(() => HttpResponse.json({ type: "unauthorized", message: "No" }, { status: 401 })),
  createMswHandlers().pick.generateToken(),
];
// @ts-expect-error not a token
handleGenerateToken({ body: { tokens: "TOKEN" } });
