// @ts-nocheck
// Made by @hey-api/openapi-ts. Do not edit.

export type ClientOptions = {
    baseUrl: 'https://api.complycube.com' | (string & {});
};

/**
 * TokenRequest
 *
 * The request for a token, for the Web SDK or for a Mobile SDK, never for both.
 */
export type TokenRequest = WebTokenRequest | MobileTokenRequest;

/**
 * WebTokenRequest
 *
 * A token for the Web SDK, bound to the web pages that `referrer` matches.
 */
export type WebTokenRequest = {
    clientId: ClientId;
    referrer: Referrer;
};

/**
 * MobileTokenRequest
 *
 * A token for a Mobile SDK, bound to the app that `appId` names.
 */
export type MobileTokenRequest = {
    clientId: ClientId;
    appId: AppId;
};

/**
 * ClientId
 *
 * The ID of the client (the person to be verified) who will use the SDK.
 */
export type ClientId = string;

/**
 * Referrer
 *
 * The web pages on which the Web SDK may use the token, as a Google Chrome
 * [match pattern](https://developer.chrome.com/docs/extensions/develop/concepts/match-patterns):
 * `<scheme>://<host>[:port]<path>`. The `Referer` that the browser sends must match it, so that a token that leaks is
 * useless on another site.
 */
export type Referrer = string;

/**
 * AppId
 *
 * The bundle ID of the iOS app, or the application ID of the Android app, that will use the token.
 */
export type AppId = string;

/**
 * Token
 *
 * The generated token.
 */
export type Token = {
    /**
     * A JSON Web Token (`header.payload.signature`), valid for 60 minutes. Hand it to the ComplyCube SDK and keep it
     * out of logs. Its claims are not documented: depend on none but `exp` and `iat`.
     *
     */
    token: string;
};

/**
 * Error
 *
 * Why a request was refused. More fields may be present.
 */
export type Error = {
    /**
     * A machine-readable kind of error, such as `invalid_request`.
     */
    type: string;
    /**
     * What went wrong, for the developer who reads the log. Not meant for the person being verified.
     */
    message: string;
    /**
     * The field of the request that is at fault, where there is one.
     */
    param?: string;
};

/** The request of `generateToken`. */
export type GenerateTokenData = {
    /**
     * The client, and the web page or the app that the token is bound to.
     */
    body: TokenRequest;
    path?: never;
    query?: never;
    url: '/v1/tokens';
};

/** The body of each status that is not 2xx. */
export type GenerateTokenErrors = {
    /**
     * A field is missing or malformed, and `param` names it. Correct the request: sending the same one again fails
     * again. Documented on the endpoint's own page, for `clientId`; that the other refusals look alike is assumed.
     *
     */
    400: Error;
    /**
     * The key is missing, unknown or revoked. Check that the bare key is sent, with no `Bearer` in front.
     * Its `type` is that of a 403 too. Documented for the whole API.
     *
     */
    401: Error;
    /**
     * Payment is due; accounts on credit plans only. The status is documented for the whole API; its body is assumed.
     *
     */
    402: Error;
    /**
     * The key is known, and its account may not do this. Its `type` is that of a 401 too.
     * Documented for the whole API.
     *
     */
    403: Error;
    /**
     * There is no such resource: an unknown client, or a wrong path, such as one with a trailing slash.
     * Documented for the whole API; whether this endpoint answers an unknown client with 404 or 400 is not.
     *
     */
    404: Error;
    /**
     * The request is too large. The status is documented for the whole API; its body is assumed.
     */
    413: Error;
    /**
     * Too many requests: an account may send 10 a second with live keys and 5 with test keys.
     * Send it again after a pause that doubles each time, with random jitter; a batch job should start at 30 seconds.
     * No `Retry-After` header is documented: honour it when it comes, and do not rely on it.
     * Documented for the whole API.
     *
     */
    429: Error;
    /**
     * A fault on ComplyCube's side. The same request can be sent again. Documented for the whole API.
     */
    500: Error;
};

export type GenerateTokenError = GenerateTokenErrors[keyof GenerateTokenErrors];

/** The body of each status that is 2xx. */
export type GenerateTokenResponses = {
    /**
     * The token was generated. Documented on the endpoint's own page.
     */
    200: Token;
};

export type GenerateTokenResponse = GenerateTokenResponses[keyof GenerateTokenResponses];
