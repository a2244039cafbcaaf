// When to connect again: docs/protocol.md, section 12, "When the socket closes".

const STEADY_MS = 10_000;

/** How long to wait before attempt n: full jitter below a doubling bound, never less than what the server advised. */
export const backOff = (attempt, { min, max }, advised, random) =>
  Math.max(advised, Math.floor(random() * Math.min(max, min * 2 ** Math.min(attempt, 30))));

export class Retry {
  /** From `hello.reconnect`. */
  bounds = { min: 250, max: 15_000 };

  /** The `retry_after_ms` of an error, while that was the last frame. */
  advised = 0;

  #environment;
  #attempt = 0;
  #timer = null;
  #at = 0;

  constructor(environment) {
    this.#environment = environment;
  }

  /** Milliseconds until the next attempt. */
  get inMs() {
    return Math.max(0, this.#at - this.#environment.now());
  }

  reset() {
    this.#attempt = 0;
  }

  cancel() {
    this.#environment.clearTimeout(this.#timer);
  }

  /** Calls `connect` once the wait is over. A socket that was open for long enough starts the waits from the shortest again. */
  schedule(openForMs, connect) {
    if (openForMs >= STEADY_MS) {
      this.reset();
    }
    const wait = backOff(this.#attempt++, this.bounds, this.advised, this.#environment.random);
    this.advised = 0;
    this.#at = this.#environment.now() + wait;
    this.#timer = this.#environment.setTimeout(connect, wait);
  }
}
