// @ts-nocheck
// Made by @hey-api/openapi-ts. Do not edit.

export { generateToken, type Options } from './sdk.gen.ts';
export type { AppId, ClientId, ClientOptions, Error, GenerateTokenData, GenerateTokenError, GenerateTokenErrors, GenerateTokenResponse, GenerateTokenResponses, MobileTokenRequest, Referrer, Token, TokenRequest, WebTokenRequest } from './types.gen.ts';
