/** Calls a hook that someone else wrote. Whatever it throws or rejects with, now or later, is ignored. */
export function callHook<A extends unknown[]>(hook: ((...args: A) => unknown) | undefined, ...args: A): void {
  try {
    Promise.resolve(hook?.(...args)).catch(() => {});
  } catch {}
}
