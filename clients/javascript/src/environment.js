// What the client needs of its platform. Callers replace parts of it: `WebSocket` and `fetch` are options of `connect`, and tests replace the clock.

const platform = () => ({
  WebSocket: globalThis.WebSocket,
  fetch: (...args) => globalThis.fetch(...args),
  setTimeout: (...args) => globalThis.setTimeout(...args),
  clearTimeout: id => globalThis.clearTimeout(id),
  random: Math.random,
  now: () => Date.now(),
});

export const environmentWith = options => ({ ...platform(), ...options });
