/**
 * What keeps a token out of every cache that `fetch` may have, such as the one of Next.js, which writes answers to disk.
 * Nothing where the runtime does not know the field: workerd before 2024-11-11 throws on it.
 */
export function noStore(): { cache?: "no-store" } {
  return typeof Request === "function" && "cache" in Request.prototype ? { cache: "no-store" } : {};
}
