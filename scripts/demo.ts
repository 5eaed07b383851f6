// Mints a web and a mobile token against the mock, through the built package, and shows a refused request.
import { styleText } from "node:util";
import { ComplyCube, ComplyCubeApiError } from "complycube-tokens";
import { startMock } from "./mock.ts";

const heading = (text: string) => console.log(`\n${styleText("bold", text)}`);
const mock = await startMock();
console.log(`The mock ComplyCube API listens on ${mock.url}.`);
const complycube = new ComplyCube({ apiKey: "test_DEMO_KEY", baseUrl: mock.url });
const referrer = "https://www.example.com/*";

heading("A token for the Web SDK, bound to a page");
console.log(`  generate("CLIENT_ID", { referrer: "${referrer}" })`);
console.log(`  → ${await complycube.token.generate("CLIENT_ID", { referrer })}`);

heading("A token for a Mobile SDK, bound to an app");
console.log('  generate("CLIENT_ID", { appId: "com.myapp.demo.app" })');
console.log(`  → ${await complycube.token.generate("CLIENT_ID", { appId: "com.myapp.demo.app" })}`);

heading("A request that the API refuses");
const refusing = new ComplyCube({
  apiKey: "test_DEMO_KEY",
  baseUrl: mock.url,
  fetch: (url, init) =>
    fetch(url, { ...init, headers: { ...init.headers, prefer: "code=400, example=clientId" } }),
});
await refusing.token.generate("NO_SUCH_CLIENT", { referrer }).catch((error: unknown) => {
  if (!(error instanceof ComplyCubeApiError)) throw error;
  const { name, status, type, param, message } = error;
  console.log(`  → ${name}: ${message}\n    status ${status}, type ${type}, param ${param}`);
});

heading("A mistake, refused before anything is sent");
await complycube.token
  .generate("CLIENT_ID", { referrer: process.env.NO_SUCH_VARIABLE as string })
  .catch((error: unknown) => console.log(`  → ${error}`));

await mock.stop();
console.log("\nDone. The mock is stopped.");
