// @ts-nocheck
// Made by @hey-api/openapi-ts. Do not edit.

import { http, type HttpHandler, HttpResponse, type HttpResponseResolver, type RequestHandlerOptions as RequestHandlerOptions2 } from 'msw';

import type { ClientOptions, GenerateTokenData, GenerateTokenResponses } from './types.gen.ts';

/** Where the API is mocked, and what other calls get. */
export type RequestHandlerOptions = RequestHandlerOptions2 & {
    baseUrl?: ClientOptions['baseUrl'];
    responseFallback?: 'error' | 'passthrough';
};

/** What the mocked endpoint answers. */
export type HandleGenerateTokenResponse = {
    body: GenerateTokenResponses[200];
    status?: 200;
};

/**
 * Handler for the `POST /v1/tokens` operation.
 */
export function handleGenerateToken(response?: HandleGenerateTokenResponse | HttpResponseResolver<never, GenerateTokenData['body']>, options?: RequestHandlerOptions): HttpHandler {
    return http.post<never, GenerateTokenData['body']>(`${options?.baseUrl ?? '*'}/v1/tokens`, info => {
        if (typeof response === 'function') {
            return response(info);
        }
        const body = response?.body;
        if (body !== undefined) {
            return HttpResponse.json(body, { status: response?.status ?? 200 });
        }
        if (options?.responseFallback === 'passthrough') {
            return;
        }
        return new Response('Not Implemented', {
            status: 501,
            statusText: 'Not Implemented'
        });
    }, options);
}

export type MswHandlerFactories = {
    /**
     * Handler for the `POST /v1/tokens` operation.
     */
    generateToken: typeof handleGenerateToken;
};

export type CreateMswHandlersResult = {
    all: (options?: {
        pick?: {
            [K in keyof MswHandlerFactories]?: Parameters<MswHandlerFactories[K]>[0] | Parameters<MswHandlerFactories[K]>;
        };
    }) => ReadonlyArray<HttpHandler>;
    pick: MswHandlerFactories;
};

/** Makes all handlers with the same options. */
export function createMswHandlers(config: RequestHandlerOptions = {}): CreateMswHandlersResult {
    type Handler<R> = (response?: R, options?: RequestHandlerOptions) => HttpHandler;
    function wrap<R>(handler: Handler<R>): Handler<R> {
        return (response, options) => handler(response, { ...config, ...options });
    }
    const pick: CreateMswHandlersResult['pick'] = {
        generateToken: wrap(handleGenerateToken)
    };
    const all: CreateMswHandlersResult['all'] = (options = {}) => {
        type OverrideValue<R> = R | [
            response?: R,
            options?: RequestHandlerOptions
        ];
        function invoke<R>(fn: Handler<R>, override?: OverrideValue<R>): HttpHandler {
            return Array.isArray(override) ? fn(...override) : fn(override);
        }
        const overrides = options.pick ?? {};
        return [invoke(pick.generateToken, overrides.generateToken)];
    };
    return { all, pick };
}
