// One socket: JSON in and out, detection of a dead peer by its silence, and the close codes that mean "do not reconnect".

const SUBPROTOCOL = 'sessions.v1.json';
const STOPPING_CODES = new Set([1000, 1003, 1007, 1008, 1009]);
const OPEN = 1;
const DEFAULT_HEARTBEAT_MS = 25_000;
const MISSED_HEARTBEATS = 3;

/** The code that the owner receives if this side closed the socket because the server was silent for too long. */
export const MISSED_HEARTBEAT = 4003;

/** True if a socket that was closed with this code should be opened again. */
export const shouldReconnect = code => !STOPPING_CODES.has(code) && code < 4100;

export class Link {
  /** True once questions and events can be exchanged: after `hello`, or after `resumed` if this socket resumes. */
  isLive = false;

  /** True from a `resume` (in the address or in a frame) until `resumed`. */
  isReplaying = false;

  /** True once any frame has arrived, and once `hello` has arrived. */
  hasHeard = false;
  isGreeted = false;

  /** The last frame if it was an error. It can explain a close that follows. */
  lastError = null;

  #openedAt = null;
  #socket;
  #environment;
  #silence = MISSED_HEARTBEATS * DEFAULT_HEARTBEAT_MS;
  #timer = null;
  #closed;

  constructor(url, environment, { frame, closed }) {
    this.#environment = environment;
    this.#closed = closed;
    this.#socket = new environment.WebSocket(url, [SUBPROTOCOL]);
    this.#socket.onopen = () => {
      this.#openedAt = environment.now();
    };
    this.#socket.onmessage = event => {
      this.hasHeard = true;
      this.#listen();
      frame(JSON.parse(event.data));
    };
    this.#socket.onclose = event => this.#end(event.code, event.reason);
    this.#listen();
  }

  /** How long the socket has been open. */
  get openForMs() {
    return this.#openedAt === null ? 0 : this.#environment.now() - this.#openedAt;
  }

  /** A server that sends nothing for three heartbeats is gone. */
  expectHeartbeatEach(milliseconds) {
    this.#silence = MISSED_HEARTBEATS * milliseconds;
    this.#listen();
  }

  send(message) {
    if (this.#socket.readyState !== OPEN) {
      return false;
    }
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Closes the socket. The owner receives nothing more from it. */
  close() {
    this.#closed = () => {};
    this.#end(0, '');
    this.#socket.close(1000);
  }

  /** Abandons an unusable socket. The owner is notified at once, because a dead peer may never answer the close. */
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
