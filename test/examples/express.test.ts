import { describeEndpoint } from "../support/endpoint-rules.ts";
import { listen } from "../support/listen.ts";

describeEndpoint("examples/express.ts", "http://localhost:3000/*", async () => {
  const { app } = await import("../../examples/express.ts");
  return listen(app);
});
