import { ComplyCube, type TokenTarget } from "../../src/index.ts";

declare const complycube: ComplyCube;
declare const fromEnvironment: string | undefined;

// Exactly one of referrer and appId.
const web: Promise<string> = complycube.token.generate("CLIENT_ID", {
  referrer: "https://www.example.com/*",
});
const mobile: Promise<string> = complycube.token.generate("CLIENT_ID", { appId: "com.myapp.demo.app" });
// @ts-expect-error both
complycube.token.generate("CLIENT_ID", {
  referrer: "https://www.example.com/*",
  appId: "com.myapp.demo.app",
});
// @ts-expect-error neither
complycube.token.generate("CLIENT_ID", {});
// @ts-expect-error an unknown field
complycube.token.generate("CLIENT_ID", { referrer: "https://www.example.com/*", locale: "en" });
// @ts-expect-error a missing target
complycube.token.generate("CLIENT_ID");
// @ts-expect-error an environment variable that may be missing
complycube.token.generate("CLIENT_ID", { referrer: fromEnvironment });
// @ts-expect-error a client ID that may be missing
complycube.token.generate(fromEnvironment, { appId: "com.myapp.demo.app" });

// Nothing in target can replace clientId, not even where TypeScript does not look for unknown fields.
const smuggled = { clientId: "SOMEONE_ELSE", appId: "com.myapp.demo.app" };
// @ts-expect-error clientId in target
complycube.token.generate("CLIENT_ID", smuggled);

// The result is the token itself.
// @ts-expect-error not an object
const wrapped: Promise<{ token: string }> = complycube.token.generate("CLIENT_ID", {
  appId: "com.myapp.demo.app",
});

// A target that is one or the other passes.
declare const either: TokenTarget;
complycube.token.generate("CLIENT_ID", either, { timeoutMs: 1_000, signal: AbortSignal.timeout(2_000) });
// @ts-expect-error a misspelt option
complycube.token.generate("CLIENT_ID", either, { timeout: 1_000 });

// An optional option may be undefined, so that options can be passed on.
new ComplyCube({ apiKey: fromEnvironment, baseUrl: fromEnvironment });
// @ts-expect-error a misspelt option
new ComplyCube({ apikey: "test_KEY" });

export { mobile, web, wrapped };
