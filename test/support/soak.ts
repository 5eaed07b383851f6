/** The token that the soak's server mints for one client: the shape of a real one, and nobody else's. */
export function soakToken(clientId: string): string {
  return `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(clientId).toString("base64url")}.c2lnbmF0dXJl`;
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
