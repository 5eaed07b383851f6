// MSW's types need the DOM's, so this is apart from the server.
import {
  createMswHandlers,
  type HandleGenerateTokenResponse,
  handleGenerateToken,
} from "complycube-tokens/msw";
import type { HttpHandler } from "msw";

const answer: HandleGenerateTokenResponse = { body: { token: "TOKEN" } };
export const handlers: HttpHandler[] = [
  handleGenerateToken(answer),
  createMswHandlers().pick.generateToken(),
];
// @ts-expect-error not a token
handleGenerateToken({ body: { tokens: "TOKEN" } });
