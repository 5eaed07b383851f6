import type { TestProject } from "vitest/node";
import { startMock } from "../../scripts/mock.ts";

declare module "vitest" {
  interface ProvidedContext {
    prismUrl: string;
  }
}

/** Starts one mock of the API for the suite. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, stop } = await startMock();
  project.provide("prismUrl", url);
  return stop;
}
