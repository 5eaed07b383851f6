// Runs the workflows of openapi/tokens.arazzo.yaml against the mock.
import { startPrism } from "./prism.ts";
import { respect } from "./respect.ts";

const prism = await startPrism();
try {
  process.exitCode = respect({ url: prism.url, apiKey: "test_MOCK_KEY", clientId: "CLIENT_ID" });
} finally {
  await prism.stop();
}
