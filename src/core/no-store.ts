/**
 * Returns the option of `fetch` that keeps a token out of every cache, such as that of Next.js, which writes answers to
 * disk. Returns no option where the runtime does not know it: workerd before 2024-11-11 throws on it.
 */
export function noStore(): { cache?: "no-store" } {
  return typeof Request === "function" && "cache" in Request.prototype ? { cache: "no-store" } : {};
}
