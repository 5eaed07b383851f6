// @ts-nocheck
// Made by @hey-api/openapi-ts. Do not edit.

export const TokenRequestSchema = {
    title: 'TokenRequest',
    description: 'The request for a token, for the Web SDK or for a Mobile SDK, never for both.',
    oneOf: [
        {
            $ref: '#/components/schemas/WebTokenRequest'
        },
        {
            $ref: '#/components/schemas/MobileTokenRequest'
        }
    ]
} as const;

export const WebTokenRequestSchema = {
    title: 'WebTokenRequest',
    description: 'A token for the Web SDK, bound to the web pages that `referrer` matches.',
    type: 'object',
    additionalProperties: false,
    required: [
        'clientId',
        'referrer'
    ],
    properties: {
        clientId: {
            $ref: '#/components/schemas/ClientId'
        },
        referrer: {
            $ref: '#/components/schemas/Referrer'
        }
    }
} as const;

export const MobileTokenRequestSchema = {
    title: 'MobileTokenRequest',
    description: 'A token for a Mobile SDK, bound to the app that `appId` names.',
    type: 'object',
    additionalProperties: false,
    required: [
        'clientId',
        'appId'
    ],
    properties: {
        clientId: {
            $ref: '#/components/schemas/ClientId'
        },
        appId: {
            $ref: '#/components/schemas/AppId'
        }
    }
} as const;

export const ClientIdSchema = {
    title: 'ClientId',
    description: 'The ID of the client (the person to be verified) who will use the SDK.',
    type: 'string',
    minLength: 1,
    examples: [
        'CLIENT_ID'
    ]
} as const;

export const ReferrerSchema = {
    title: 'Referrer',
    description: 'The web pages on which the Web SDK may use the token, as a Google Chrome\n[match pattern](https://developer.chrome.com/docs/extensions/develop/concepts/match-patterns):\n`<scheme>://<host>[:port]<path>`. The `Referer` that the browser sends must match it, so that a token that leaks is\nuseless on another site.',
    type: 'string',
    minLength: 1,
    examples: [
        'https://www.example.com/*'
    ]
} as const;

export const AppIdSchema = {
    title: 'AppId',
    description: 'The bundle ID of the iOS app, or the application ID of the Android app, that will use the token.',
    type: 'string',
    minLength: 1,
    examples: [
        'com.myapp.demo.app'
    ]
} as const;

export const TokenSchema = {
    title: 'Token',
    description: 'The generated token.',
    type: 'object',
    required: [
        'token'
    ],
    properties: {
        token: {
            description: 'A JSON Web Token (`header.payload.signature`), valid for 60 minutes. Hand it to the ComplyCube SDK and keep it\nout of logs. Its claims are not documented: depend on none but `exp` and `iat`.\n',
            type: 'string',
            minLength: 1,
            examples: [
                '<CLIENT_TOKEN>'
            ]
        }
    }
} as const;

export const ErrorSchema = {
    title: 'Error',
    description: 'Why a request was refused. More fields may be present.',
    type: 'object',
    required: [
        'type',
        'message'
    ],
    properties: {
        type: {
            description: 'A machine-readable kind of error, such as `invalid_request`.',
            type: 'string',
            minLength: 1,
            examples: [
                'invalid_request'
            ]
        },
        message: {
            description: 'What went wrong, for the developer who reads the log. Not meant for the person being verified.',
            type: 'string',
            minLength: 1,
            examples: [
                '\'clientId\' is invalid'
            ]
        },
        param: {
            description: 'The field of the request that is at fault, where there is one.',
            type: 'string',
            minLength: 1,
            examples: [
                'clientId'
            ]
        }
    }
} as const;
