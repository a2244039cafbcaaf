// One socket: JSON in and out, the silence that means it is dead, and the rules of coming back.

const SUBPROTOCOL = 'sessions.v1.json';
const STOPPING_CODES = new Set([1000, 1003, 1007, 1008, 1009]);
const OPEN = 1;

/** Told to the owner where this side gave the socket up: the peer was silent for too long. */
export const MISSED_HEARTBEAT = 4003;

/** True where a socket closed with this code should be opened again. */
export const shouldReconnect = code => !STOPPING_CODES.has(code) && code < 4100;

/** How long to wait before attempt n: full jitter below a doubling bound, never less than what the server advised. */
export const backOff = (attempt, { min, max }, advised, random) =>
  Math.max(advised, Math.floor(random() * Math.min(max, min * 2 ** Math.min(attempt, 30))));

export class Link {
  isLive = false;
  liveSince = 0;
  rewinding = false;
  #socket;
  #environment;
  #silence = 0;
  #timer = null;
  #closed;

  constructor(url, environment, { frame, closed }) {
    this.#environment = environment;
    this.#closed = closed;
    this.#socket = new environment.WebSocket(url, [SUBPROTOCOL]);
    this.#socket.onmessage = event => {
      this.#listen();
      frame(JSON.parse(event.data));
    };
    this.#socket.onclose = event => this.#end(event.code, event.reason);
  }

  expectLifeWithin(milliseconds) {
    this.#silence = milliseconds;
    this.#listen();
  }

  send(message) {
    if (this.#socket.readyState !== OPEN) {
      return false;
    }
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Says goodbye; nothing is heard of this socket any more. */
  close() {
    this.#closed = () => {};
    this.#end(0, '');
    this.#socket.close(1000);
  }

  /** Leaves a socket that is of no use; the owner is told at once, for a dead peer may never answer a close. */
  abandon() {
    this.#end(MISSED_HEARTBEAT, '');
    this.#socket.close(1000);
  }

  #listen() {
    this.#environment.clearTimeout(this.#timer);
    if (this.#silence > 0) {
      this.#timer = this.#environment.setTimeout(() => this.abandon(), this.#silence);
    }
  }

  #end(code, reason) {
    this.#silence = 0;
    this.#environment.clearTimeout(this.#timer);
    this.#socket.onmessage = null;
    const closed = this.#closed;
    this.#closed = () => {};
    closed(code, reason);
  }
}
