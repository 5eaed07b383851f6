import { describeEndpoint } from "../support/endpoint-rules.ts";

describeEndpoint("examples/fastify.ts", "http://localhost:3000/*", async () => {
  const { app } = await import("../../examples/fastify.ts");
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return { url, close: () => app.close() };
});
