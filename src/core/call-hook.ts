/** Calls a hook that a user wrote, and ignores whatever it throws or rejects with, now or later. */
export function callHook<A extends unknown[]>(hook: (...args: A) => unknown, ...args: A): void {
  try {
    Promise.resolve(hook(...args)).catch(() => {});
  } catch {}
}
