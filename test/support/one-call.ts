// Makes one call and prints what it settles to; what it leaves behind would keep the process from ending by itself.
// Usage: node test/support/one-call.ts BASE_URL token|refused|aborted|timed-out|key-never-comes|preconnect
import { ComplyCube } from "../../src/index.ts";

const [baseUrl = "", manner] = process.argv.slice(2);
const never = manner === "key-never-comes";
const complycube = new ComplyCube({
  apiKey: never ? () => new Promise<string>(() => {}) : "test_KEY_OF_ONE_CALL",
  baseUrl,
  timeoutMs: never || manner === "timed-out" ? 500 : 60_000,
  maxRetries: manner === "aborted" ? 2 : 0,
});
const caller = new AbortController();
if (manner === "aborted") setTimeout(() => caller.abort("aborted"), 200);
if (manner === "preconnect") {
  complycube.preconnect();
  setTimeout(() => console.log("opened"), 100); // In the middle of the handshake.
} else {
  await complycube.token
    .generate("CLIENT_ID", { appId: "com.myapp.demo.app" }, { signal: caller.signal })
    .then((token) => console.log("token", token.length))
    .catch((error) => console.log(error?.name ?? error));
}
