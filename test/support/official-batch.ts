import { ComplyCube as Official } from "@complycube/api";

/** Mints so many tokens with the official client, 16 in flight as in a batch of ours, and counts. */
export async function officialBatch(
  baseUrl: string,
  count: number,
): Promise<{ minted: number; failed: number }> {
  const official = new Official({ apiKey: "live_KEY_OF_ONE_PROCESS" });
  // Its base URL is fixed; its axios instance is not.
  (
    official as unknown as { axiosInstance: { defaults: { baseURL: string } } }
  ).axiosInstance.defaults.baseURL = `${baseUrl}/v1`;
  const counts = { minted: 0, failed: 0 };
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const target = { appId: "com.myapp.demo.app" };
      await official.token.generate(`CLIENT_${next++}`, target as never).then(
        () => counts.minted++,
        () => counts.failed++,
      );
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return counts;
}
