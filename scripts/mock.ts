// Runs the mock API until Ctrl-C: `npm run mock`, or `npm run mock -- 4011` for another port.
import { startPrism } from "./prism.ts";

const port = Number(process.argv[2] ?? 4010);
const prism = await startPrism(port).catch(({ message }: Error) => {
  console.error(
    message.includes("EADDRINUSE") ? `Port ${port} is taken. Is a mock running already?` : message,
  );
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
