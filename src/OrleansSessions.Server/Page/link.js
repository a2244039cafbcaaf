// One socket: JSON in and out, detection of a dead peer by its silence, and the close codes that mean "do not reconnect".

const SUBPROTOCOL = 'sessions.v1.json';
const CONNECTION_LOST = 1006;
const STOPPING_CODES = new Set([1000, 1003, 1007, 1008, 1009]);
const OPEN = 1;
const DEFAULT_HEARTBEAT_MS = 25_000;
const MISSED_HEARTBEATS = 3;

/** The code that the owner receives if this side closed the socket because the server was silent for too long. */
export const MISSED_HEARTBEAT = 4003;

/** A browser cannot set a header on a socket, so a token is sent as one more subprotocol: unpadded base64url of its UTF-8. */
const protocolsWith = token => token === '' ? [SUBPROTOCOL] : [SUBPROTOCOL, `bearer.${base64Url(token)}`];

const base64Url = text => btoa(String.fromCharCode(...new TextEncoder().encode(text))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

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

  /** The epoch from which this socket resumes; null if it does not. */
  epoch = null;

  /** The token that the server has from this socket; empty if it has none. */
  token = '';

  #openedAt = null;
  #socket = null;
  #environment;
  #silence = MISSED_HEARTBEATS * DEFAULT_HEARTBEAT_MS;
  #timer = null;
  #hasEnded = false;
  #closed;

  /** @param token a function that returns a token or a promise of one, or null if the client has none. */
  constructor(url, environment, { frame, closed, token }) {
    this.#environment = environment;
    this.#closed = closed;
    this.#listen();
    if (token === null) {
      this.#open(url, frame);
    } else {
      this.#openWith(token, url, frame);
    }
  }

  /** Without a token that it could get, the socket counts as lost, and the next one asks for it again. */
  async #openWith(token, url, frame) {
    try {
      // Not called here and now: the owner learns of a fault only once it has this link.
      this.token = await Promise.resolve().then(token);
    } catch {
      this.#end(CONNECTION_LOST, '');
    }
    if (!this.#hasEnded) {
      this.#open(url, frame);
    }
  }

  #open(url, frame) {
    this.#socket = new this.#environment.WebSocket(url, protocolsWith(this.token));
    this.#socket.onopen = () => {
      this.#openedAt = this.#environment.now();
    };
    this.#socket.onmessage = event => {
      this.hasHeard = true;
      this.#listen();
      frame(JSON.parse(event.data));
    };
    this.#socket.onclose = event => this.#end(event.code, event.reason);
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
    if (this.#socket?.readyState !== OPEN) {
      return false;
    }
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Closes the socket. The owner receives nothing more from it. */
  close() {
    this.#closed = () => {};
    this.#end(0, '');
    this.#socket?.close(1000);
  }

  /** Abandons an unusable socket. The owner is notified at once, because a dead peer may never answer the close. */
  abandon() {
    this.#end(MISSED_HEARTBEAT, '');
    this.#socket?.close(1000);
  }

  #listen() {
    this.#environment.clearTimeout(this.#timer);
    if (this.#silence > 0) {
      this.#timer = this.#environment.setTimeout(() => this.abandon(), this.#silence);
    }
  }

  #end(code, reason) {
    this.#hasEnded = true;
    this.#silence = 0;
    this.#environment.clearTimeout(this.#timer);
    if (this.#socket !== null) {
      this.#socket.onmessage = null;
    }
    const closed = this.#closed;
    this.#closed = () => {};
    closed(code, reason);
  }
}
