import { expect, test } from "vitest";
import { RUNTIMES } from "../runtimes/runtimes.ts";
import { tabledRuntimes } from "../runtimes/table.ts";

test("the guide's table has the runtimes that the package is tested on: npm run test:runtimes -- --write", () => {
  expect(tabledRuntimes()).toEqual(RUNTIMES.map(({ name }) => name));
});
