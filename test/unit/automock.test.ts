import { expect, test, vi } from "vitest";
import { ComplyCube } from "../../src/index.ts";

// As the guide shows it: without a factory the constructor does nothing, and `token` is undefined.
vi.mock(import("../../src/index.ts"), async (original) => ({
  ...(await original()),
  ComplyCube: class {
    token = { generate: async () => "MOCKED" };
  } as never,
}));

test("a module that is mocked by a factory mints what the factory says", async () => {
  const complycube = new ComplyCube();

  await expect(complycube.token.generate("CLIENT_ID", { appId: "com.example.app" })).resolves.toBe("MOCKED");
});
