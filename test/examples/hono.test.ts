import { getRequestListener } from "@hono/node-server";
import { describeEndpoint } from "../support/endpoint-rules.ts";
import { listen } from "../support/listen.ts";

describeEndpoint("examples/hono.ts", "http://localhost:3000/*", async () => {
  const { default: app } = await import("../../examples/hono.ts");
  return listen(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
});
