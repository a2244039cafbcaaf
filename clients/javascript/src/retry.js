// When to connect again: docs/protocol.md, section 12, "When the socket closes".

const STEADY_MS = 10_000;

/** The wait before attempt n: full jitter with a doubling upper bound, but at least the wait that the server advised. */
export const backOff = (attempt, { min, max }, advised, random) =>
  Math.max(advised, Math.floor(random() * Math.min(max, min * 2 ** Math.min(attempt, 30))));

export class Retry {
  /** From `hello.reconnect`. */
  bounds = { min: 250, max: 15_000 };

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

  /**
   * Calls `connect` after the wait that follows the end of a link. One that was open long enough resets the back-off, and an error that was its last
   * frame can advise a longer wait.
   */
  schedule({ openForMs, lastError }, connect) {
    if (openForMs >= STEADY_MS) {
      this.reset();
    }
    this.after(backOff(this.#attempt++, this.bounds, lastError?.retry_after_ms ?? 0, this.#environment.random), connect);
  }

  /** Calls `connect` after a wait that the server has chosen. Only the last call counts. */
  after(wait, connect) {
    this.cancel();
    this.#at = this.#environment.now() + wait;
    this.#timer = this.#environment.setTimeout(connect, wait);
  }
}
