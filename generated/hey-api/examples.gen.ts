// @ts-nocheck
// Made by @hey-api/openapi-ts. Do not edit.

export function clientIdExample() {
    return 'CLIENT_ID';
}

export function referrerExample() {
    return 'https://www.example.com/*';
}

export function appIdExample() {
    return 'com.myapp.demo.app';
}
