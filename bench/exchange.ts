/** The one exchange that every client under test makes: the same request, the same answer. */

export const API_KEY = "bench_0123456789abcdefghijklmnopqrstuvwxyz";
export const CLIENT_ID = "64f9c0d1e8a7b2000812ab3c";
export const REFERRER = "https://www.example.com/*";
/** The deadline of one attempt, for those who keep one. */
export const TIMEOUT_MS = Number(process.env.BENCH_TIMEOUT_MS ?? 10_000);

const base64Url = (text: string) => Buffer.from(text).toString("base64url");

/** About as long as a real one, 708 characters, and in the shape of a JSON Web Token. */
export const TOKEN = [
  base64Url('{"alg":"RS256","typ":"JWT"}'),
  base64Url(
    JSON.stringify({
      urls: { api: "https://api.complycube.com", flow: "https://flow.complycube.com" },
      permissions: ["documents:write", "livePhotos:write"],
      clientId: CLIENT_ID,
      referrer: REFERRER,
      iat: 1_790_000_000,
      exp: 1_790_003_600,
    }),
  ),
  base64Url("signature".repeat(29).slice(0, 256)),
].join(".");
