// @ts-nocheck
// Made by @hey-api/openapi-ts. Do not edit.

import type { Client, ClientMeta, Options as Options2, RequestResult, TDataShape } from './client/index.ts';
import type { GenerateTokenData, GenerateTokenErrors, GenerateTokenResponses } from './types.gen.ts';

/** The client to send with, the body, and the settings of this call. */
export type Options<TData extends TDataShape = TDataShape, ThrowOnError extends boolean = boolean, TResponse = unknown> = Options2<TData, ThrowOnError, TResponse> & {
    /**
     * You can provide a client instance returned by `createClient()` instead of
     * individual options. This might be also useful if you want to implement a
     * custom client.
     */
    client: Client;
    /**
     * You can pass arbitrary values through the `meta` object. This can be
     * used to access values that aren't defined as part of the SDK function.
     */
    meta?: keyof ClientMeta extends never ? Record<string, unknown> : ClientMeta;
};

/**
 * Generate a token
 *
 * Generates the token with which one client starts one session of a ComplyCube SDK.
 *
 * Send `clientId` and exactly one of `referrer`, for the Web SDK, or `appId`, for a Mobile SDK.
 * A body with both, with neither, or with any other field is refused.
 *
 * Take `clientId` from your own session, never from what the page sends you: anyone who can choose the `clientId`
 * can start a verification as someone else.
 *
 */
export const generateToken = <ThrowOnError extends boolean = false>(options: Options<GenerateTokenData, ThrowOnError>): RequestResult<GenerateTokenResponses, GenerateTokenErrors, ThrowOnError> => options.client.post<GenerateTokenResponses, GenerateTokenErrors, ThrowOnError>({
    security: [{ name: 'Authorization', type: 'apiKey' }],
    url: '/v1/tokens',
    ...options,
    headers: {
        'Content-Type': 'application/json',
        ...options.headers
    }
});
