// Runs the mock API until Ctrl-C: `npm run mock`, or `npm run mock -- 4011` for another port.
import { startPrism } from "./prism.ts";

const prism = await startPrism(Number(process.argv[2] ?? 4010)).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});

console.log(`The mock ComplyCube API listens on ${prism.url}. Stop it with Ctrl-C.

Try it:

  curl -X POST ${prism.url}/v1/tokens -H 'Authorization: test_key' -H 'Content-Type: application/json' -d '{"clientId":"CLIENT_ID","referrer":"https://www.example.com/*"}'

Use it from your code:

  COMPLYCUBE_BASE_URL=${prism.url} COMPLYCUBE_API_KEY=test_key node your-program.js
`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await prism.stop();
    process.exit(0);
  });
}
console.error(await prism.died);
process.exit(1);
