// When to connect again: docs/protocol.md, section 12, "When the socket closes".

const STEADY_MS = 10_000;

/** The wait before attempt n: full jitter with a doubling upper bound, but at least the wait that the server advised. */
export const backOff = (attempt, { min, max }, advised, random) =>
  Math.max(advised, Math.floor(random() * Math.min(max, min * 2 ** Math.min(attempt, 30))));

export class Retry {
  /** From `hello.reconnect`. */
  bounds = { min: 250, max: 15_000 };

  /** The `retry_after_ms` of an error, as long as the error is the last frame. */
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

  /** Calls `connect` after the wait. A socket that was open long enough resets the back-off. */
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
