import type { TestProject } from "vitest/node";
import { startPrism } from "../../scripts/prism.ts";

declare module "vitest" {
  interface ProvidedContext {
    prismUrl: string;
  }
}

/** Starts one Prism for the contract suite. A Prism that dies ends the run at once, with its log. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const prism = await startPrism();
  project.provide("prismUrl", prism.url);
  prism.died.then((log) => {
    console.error(`Prism died while the tests ran. Its log:\n${log}`);
    process.exit(1);
  });
  return prism.stop;
}
