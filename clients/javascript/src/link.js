// One connection to the server: frames in and out over a wire, and detection of a dead peer by its silence.

import { CONNECTION_LOST, MISSED_HEARTBEAT } from './codes.js';

const DEFAULT_HEARTBEAT_MS = 25_000;
const MISSED_HEARTBEATS = 3;

export class Link {
  /** True once questions and events can be exchanged: after `hello`, or after `resumed` if this link resumes. */
  isLive = false;

  /** True from a `resume` (in the address or in a frame) until `resumed`. */
  isReplaying = false;

  /** True once any frame has arrived, and once `hello` has arrived. */
  hasHeard = false;
  isGreeted = false;

  /** The last frame if it was an error. It can explain a close that follows. */
  lastError = null;

  /** The epoch from which this link resumes; null if it does not. */
  epoch = null;

  /** What opens its wire. */
  opener;

  /** The token that the server has from this link; empty if it has none. */
  token = '';

  #openedAt = null;
  #wire = null;
  #environment;
  #silence = MISSED_HEARTBEATS * DEFAULT_HEARTBEAT_MS;
  #timer = null;
  #hasEnded = false;
  #owner;

  /**
   * @param open opens the wire with a token, and calls `opened`, `heard` with each frame (without one for another sign of life), and `closed`
   * @param token a function that returns a token or a promise of one, or null if the client has none
   */
  constructor(open, environment, token, owner) {
    this.#environment = environment;
    this.#owner = owner;
    this.#listen();
    if (token === null) {
      this.#open(open);
    } else {
      this.#openWith(token, open);
    }
  }

  /** Without a token that it could get, the link counts as lost, and the next one asks for it again. */
  async #openWith(token, open) {
    try {
      // Not called here and now: the owner learns of a fault only once it has this link.
      this.token = await Promise.resolve().then(token) ?? '';
    } catch {
      this.#end(CONNECTION_LOST, '');
    }
    if (!this.#hasEnded) {
      this.#open(open);
    }
  }

  #open(open) {
    try {
      this.#wire = open(this.token, {
        opened: () => { this.#openedAt = this.#environment.now(); },
        heard: frame => this.#hear(frame),
        closed: (code, reason) => this.#end(code, reason),
      });
    } catch (error) {
      // For example, a page may not open sockets at all. The owner learns of it once it has this link.
      queueMicrotask(() => this.#end(CONNECTION_LOST, error.message));
    }
  }

  #hear(frame) {
    if (!this.#hasEnded) {
      this.#listen();
      if (frame) {
        this.hasHeard = true;
        this.#owner.frame(frame);
      }
    }
  }

  /** How long the link has been open. */
  get openForMs() {
    return this.#openedAt === null ? 0 : this.#environment.now() - this.#openedAt;
  }

  /** A server that sends nothing for three heartbeats is gone. */
  expectHeartbeatEach(milliseconds) {
    this.#silence = MISSED_HEARTBEATS * milliseconds;
    this.#listen();
  }

  /** Returns false if the message cannot be sent now. */
  send(message) {
    return this.#wire?.send(message) ?? false;
  }

  /** Closes the link. The owner receives nothing more from it. */
  close() {
    this.#hasEnded = true;
    this.#shut();
  }

  /** Abandons an unusable link. The owner is notified at once, because a dead peer may never answer the close. */
  abandon() {
    this.#end(MISSED_HEARTBEAT, '');
  }

  #listen() {
    this.#environment.clearTimeout(this.#timer);
    this.#timer = this.#environment.setTimeout(() => this.abandon(), this.#silence);
  }

  #end(code, reason) {
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.#owner.closed(code, reason);
      this.#shut();
    }
  }

  #shut() {
    this.#environment.clearTimeout(this.#timer);
    this.#wire?.close();
  }
}
