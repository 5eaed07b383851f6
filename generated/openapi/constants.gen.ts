// Made by scripts/generate.ts. Do not edit.

/** The API's own address: the first server of the spec. */
export const BASE_URL = "https://api.complycube.com";

/** The header that carries the API key. */
export const KEY_HEADER = "Authorization";
