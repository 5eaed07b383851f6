import type { Fetch } from "../../src/index.ts";
import { undiciFetch } from "../../src/undici.ts";

/** Every transport that the package ships; each runs through every scenario. */
export const transports: { name: string; fetch: Fetch | undefined }[] = [
  { name: "global fetch", fetch: undefined },
  { name: "undiciFetch", fetch: undiciFetch() },
];
