import { getRequestListener } from "@hono/node-server";
import { describeEndpoint } from "../support/endpoint-rules.ts";
import { listen } from "../support/listen.ts";

// Bun itself serves it in `npm run test:runtimes`.
describeEndpoint("examples/bun.ts", "http://localhost:3000/*", async () => {
  const { default: server } = await import("../../examples/bun.ts");
  return listen(getRequestListener(server.fetch, { overrideGlobalObjects: false }));
});
