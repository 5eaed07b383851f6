// Made by openapi-typescript. Do not edit.

/** The paths of the spec. */
export interface paths {
    "/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Generate a token
         * @description Generates the token with which one client starts one session of a ComplyCube SDK.
         *
         *     Send `clientId` and exactly one of `referrer`, for the Web SDK, or `appId`, for a Mobile SDK.
         *     A body with both, with neither, or with any other field is refused.
         *
         *     Take `clientId` from your own session, never from what the page sends you: anyone who can choose the `clientId`
         *     can start a verification as someone else.
         */
        post: operations["generateToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
/** The schemas of the spec. */
export interface components {
    schemas: {
        /**
         * TokenRequest
         * @description The request for a token, for the Web SDK or for a Mobile SDK, never for both.
         */
        TokenRequest: components["schemas"]["WebTokenRequest"] | components["schemas"]["MobileTokenRequest"];
        /**
         * WebTokenRequest
         * @description A token for the Web SDK, bound to the web pages that `referrer` matches.
         */
        WebTokenRequest: {
            clientId: components["schemas"]["ClientId"];
            referrer: components["schemas"]["Referrer"];
        };
        /**
         * MobileTokenRequest
         * @description A token for a Mobile SDK, bound to the app that `appId` names.
         */
        MobileTokenRequest: {
            clientId: components["schemas"]["ClientId"];
            appId: components["schemas"]["AppId"];
        };
        /**
         * ClientId
         * @description The ID of the client (the person to be verified) who will use the SDK.
         * @example CLIENT_ID
         */
        ClientId: string;
        /**
         * Referrer
         * @description The web pages on which the Web SDK may use the token, as a Google Chrome
         *     [match pattern](https://developer.chrome.com/docs/extensions/develop/concepts/match-patterns):
         *     `<scheme>://<host>[:port]<path>`. The `Referer` that the browser sends must match it, so that a token that leaks is
         *     useless on another site.
         *
         *     * Scheme: `https`, `http`, or `*` for either.
         *     * Host: an exact host, or `*.` in front of one to include its subdomains. A host of `*` matches every site and
         *       switches the protection off.
         *     * Port: absent or `*` for any port. A port number needs `http` or `https`, not `*`.
         *     * Path: must start with `/`; `*` matches anything.
         *
         *     **Bind the token to an origin, not to a path.** The Web SDK calls another site from your page, so the page's
         *     `Referrer-Policy` decides what arrives:
         *
         *     | `Referrer-Policy` of the page | What every browser sends from `https://www.example.com/verify/step?x=1` |
         *     |---|---|
         *     | `strict-origin-when-cross-origin` (every browser's default), `strict-origin`, `origin`, `origin-when-cross-origin` | `https://www.example.com/` |
         *     | `no-referrer-when-downgrade`, `unsafe-url` | `https://www.example.com/`; Chrome alone sends the whole URL |
         *     | `no-referrer`, `same-origin` | nothing: no pattern can match |
         *
         *     `https://www.example.com/verify/*` can therefore never match in Firefox and Safari, nor in Chrome by default,
         *     because the path that arrives is `/`. Use `https://www.example.com/*`. A page in another site's iframe must set
         *     a `Referrer-Policy` of its own: without one, Safari uses the embedding page's.
         * @example https://www.example.com/*
         */
        Referrer: string;
        /**
         * AppId
         * @description The bundle ID of the iOS app, or the application ID of the Android app, that will use the token.
         * @example com.myapp.demo.app
         */
        AppId: string;
        /**
         * Token
         * @description The generated token.
         */
        Token: {
            /**
             * @description A JSON Web Token (`header.payload.signature`), valid for 60 minutes. Hand it to the ComplyCube SDK and keep it
             *     out of logs. Its claims are not documented: depend on none but `exp` and `iat`.
             * @example <CLIENT_TOKEN>
             */
            token: string;
        };
        /**
         * Error
         * @description Why a request was refused. More fields may be present.
         */
        Error: {
            /**
             * @description A machine-readable kind of error, such as `invalid_request`.
             * @example invalid_request
             */
            type: string;
            /**
             * @description What went wrong, for the developer who reads the log. Not meant for the person being verified.
             * @example 'clientId' is invalid
             */
            message: string;
            /**
             * @description The field of the request that is at fault, where there is one.
             * @example clientId
             */
            param?: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    generateToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description The client, and the web page or the app that the token is bound to. */
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description The token was generated. Documented on the endpoint's own page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Token"];
                };
            };
            /**
             * @description A field is missing or malformed, and `param` names it. Correct the request: sending the same one again fails
             *     again. Documented on the endpoint's own page, for `clientId`; that the other refusals look alike is assumed.
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /**
             * @description The key is missing, unknown or revoked. Check that the bare key is sent, with no `Bearer` in front.
             *     Its `type` is that of a 403 too. Documented for the whole API.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Payment is due; accounts on credit plans only. The status is documented for the whole API; its body is assumed. */
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /**
             * @description The key is known, and its account may not do this. Its `type` is that of a 401 too.
             *     Documented for the whole API.
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /**
             * @description There is no such resource: an unknown client, or a wrong path, such as one with a trailing slash.
             *     Documented for the whole API; whether this endpoint answers an unknown client with 404 or 400 is not.
             */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description The request is too large. The status is documented for the whole API; its body is assumed. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /**
             * @description Too many requests: an account may send 10 a second with live keys and 5 with test keys.
             *     Send it again after a pause that doubles each time, with random jitter; a batch job should start at 30 seconds.
             *     No `Retry-After` header is documented: honour it when it comes, and do not rely on it.
             *     Documented for the whole API.
             */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description A fault on ComplyCube's side. The same request can be sent again. Documented for the whole API. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
}
