// The connection of a client to its session, over any number of links: when to open one, over which wire, with which token, and when to stop.
// docs/protocol.md, section 12, from "expiring" to "When the socket closes".

import { CONNECTION_LOST, MISSED_HEARTBEAT, REFUSED_AGAIN, SESSION_REMOVED, TOKEN_EXPIRED, UNAUTHORIZED, reasonOf, shouldReconnect } from './codes.js';
import { Link } from './link.js';
import { Retry } from './retry.js';
import { openSocket } from './socket.js';
import { openEvents } from './streams.js';

const SOCKET_HEARTBEAT_MS = 25_000;
const STREAM_HEARTBEAT_MS = 15_000;

/** After so many links in a row on which nothing was heard, although HTTP worked, the other wire is used. */
const MAX_BLOCKED = 2;

/** True if an error that came last is why the link was closed. An error can be about one question, and most of those close nothing. */
const explains = (error, close) => close === SESSION_REMOVED ? error.code === 'session_removed' : error.question_id === undefined || close === REFUSED_AGAIN;

export class Connection {
  #environment;
  #api;
  #position;
  #owner;
  #token;
  #retry;
  #open;                 // opens the wire: a socket or an event stream
  #isAuto;               // may change the wire
  #link = null;          // the current link
  #successor = null;     // the link that replaces it once the server has greeted it
  #isMoving = false;     // from a `reconnect` until then
  #isRunning = false;
  #wasGreeted = false;
  #blocked = 0;

  /** @param owner has `frame(link, frame)`, called for frames of the log, and `state(state)`, called for all states but `live` */
  constructor(environment, api, position, { token = null, transport = 'auto' }, owner) {
    this.#environment = environment;
    this.#api = api;
    this.#position = position;
    this.#owner = owner;
    this.#token = token;
    this.#retry = new Retry(environment);
    const socket = environment.WebSocket && openSocket;
    this.#isAuto = transport === 'auto' && socket != null;
    this.#open = { auto: socket ?? openEvents, websocket: socket, events: openEvents }[transport];
    if (!this.#open) {
      throw new TypeError(`There is no transport '${transport}' here. Use 'auto', or pass a WebSocket.`);
    }
  }

  /** The link to send on: the current one, if the server has greeted it. */
  get link() {
    return this.#link?.isGreeted ? this.#link : null;
  }

  /** Milliseconds until the next attempt while the state is 'reconnecting'. */
  get retryInMs() {
    return this.#retry.inMs;
  }

  start() {
    if (!this.#isRunning) {
      this.#isRunning = true;
      this.#retry.reset();
      this.#connect();
    }
  }

  stop() {
    this.#successor?.close();
    this.#link?.close();
    this.#link = this.#successor = null;
    this.#isMoving = false;
    this.#giveUp({ why: 'closed' });
  }

  /** Connects without waiting for the back-off, because the network is back or a person asked for it. */
  retryNow() {
    if (!this.#isRunning) {
      this.start();
    } else if (this.#link === null) {
      this.#retry.cancel();
      this.#connect();
    }
  }

  #connect() {
    this.#link = this.#openLink();
    this.#owner.state({ name: this.#wasGreeted ? 'reconnecting' : 'connecting' });
  }

  #openLink() {
    const link = new Link(this.#open(this.#environment, this.#api, this.#position), this.#environment, this.#token, {
      frame: frame => this.#receive(link, frame),
      closed: (code, reason) => this.#closed(link, code, reason),
    });
    link.epoch = this.#position.epoch;
    link.opener = this.#open;
    return link;
  }

  #receive(link, frame) {
    if (frame.type === 'error') {
      link.lastError = frame;
      if (frame.param === 'token' && frame.retryable) {
        // The server could not check the token that was sent, so the next link can send it again.
        link.token = '';
      }
      if (link === this.#successor) {
        return;
      }
    } else {
      link.lastError = null;
    }
    switch (frame.type) {
      case 'expiring': return void this.#renewToken(link);
      case 'reconnect': return this.#move(link, frame);
      case 'hello':
        if (link === this.#successor && !this.#moveOn(link)) {
          return;
        }
        this.#greet(link, frame);
    }
    this.#owner.frame(link, frame);
  }

  #greet(link, { reconnect, heartbeat_ms: heartbeat }) {
    this.#retry.bounds = { min: reconnect?.min_ms ?? 250, max: reconnect?.max_ms ?? 15_000 };
    this.#wasGreeted = link.isGreeted = true;
    link.expectHeartbeatEach(link.opener === openEvents ? STREAM_HEARTBEAT_MS : heartbeat || SOCKET_HEARTBEAT_MS);
  }

  // When a link closes.

  #closed(link, code, closeReason) {
    if (link.hasHeard) {
      this.#blocked = 0;
    }
    if (link === this.#successor) {
      // The link that it was to replace still serves, and there may be another node to go to.
      this.#successor = null;
      this.#retry.schedule(link, () => this.#openSuccessor());
      return;
    }
    const successor = this.#successor;
    this.#retry.cancel();
    this.#isMoving = false;
    this.#link = this.#successor = null;
    if (successor?.epoch === this.#position.epoch && shouldReconnect(code)) {
      this.#link = successor;
      this.#owner.state({ name: 'reconnecting', close: code, closeReason });
      return;
    }
    successor?.close();
    const error = link.lastError;
    const why = { close: code, closeReason, ...(error && explains(error, code) && { code: error.code, message: error.message }) };
    if (code === TOKEN_EXPIRED || (error?.code === 'token_expired' && error.param !== 'token')) {
      this.#replaceToken(link, why);
      return;
    }
    const isRefused = !link.isGreeted && error?.retryable === false;
    if (isRefused || !shouldReconnect(code)) {
      const needsToken = code === UNAUTHORIZED || (isRefused && error.code === 'unauthorized');
      this.#giveUp({ ...why, why: isRefused && code < 4100 ? 'refused' : reasonOf(code), needsToken });
      return;
    }
    this.#comeBack(link, why);
    if (!link.hasHeard && (code < 4000 || code === MISSED_HEARTBEAT)) {
      this.#lookInto(link);
    }
  }

  #comeBack(link, why) {
    this.#retry.schedule(link, () => this.#connect());
    this.#owner.state({ name: 'reconnecting', ...why });
  }

  /** Nothing was heard, not even a reason. HTTP knows whether every further attempt is refused, and whether it is the wire that is blocked. */
  async #lookInto(link) {
    const { refused, works } = await this.#api.probe();
    const isOver = refused && (refused.code !== 'token_expired' || await this.#freshToken(link) === null);
    if (!this.#isRunning || this.#link?.hasHeard) {
      return;
    }
    if (isOver) {
      this.#link?.close();
      this.#link = null;
      const { code, message } = refused;
      this.#giveUp({
        why: code === 'token_expired' ? code : 'refused', close: CONNECTION_LOST, closeReason: '', code, message, needsToken: refused.status === 401,
      });
      return;
    }
    // With slow HTTP, this can be about a link from before the last change.
    if (this.#isAuto && link.opener === this.#open) {
      this.#blocked = works ? this.#blocked + 1 : 0;
      if (this.#blocked === MAX_BLOCKED) {
        this.#blocked = 0;
        this.#open = this.#open === openSocket ? openEvents : openSocket;
      }
    }
  }

  #giveUp(why) {
    this.#isRunning = false;
    this.#retry.cancel();
    this.#owner.state({ name: 'stopped', ...why });
  }

  // Tokens that expire.

  /** The token of a link has expired. The next link needs another one; with the same one, it would be refused. */
  async #replaceToken(link, why) {
    this.#owner.state({ name: 'reconnecting', ...why });
    const isSame = await this.#freshToken(link) === null;
    if (!this.#isRunning || this.#link !== null) {
      return;
    }
    if (isSame) {
      this.#giveUp({ ...why, why: 'token_expired', needsToken: true });
    } else {
      this.#comeBack(link, why);
    }
  }

  /** A token that the server does not have from this link yet, or null. A token that cannot be had at the moment counts as another one. */
  async #freshToken(link) {
    const token = await Promise.resolve().then(() => this.#token?.() ?? '').catch(() => undefined);
    return token === link.token || token === '' ? null : token;
  }

  /** Renews the token while the link stays open. Without another token, the server closes the link when the token expires. */
  async #renewToken(link) {
    const token = await this.#freshToken(link);
    if (token && link.send({ type: 'auth', token })) {
      link.token = token;
    }
  }

  // Moving to another server.

  /** The server wants this link to go, but serves it until another one is open. */
  #move(link, frame) {
    if (link === this.#link && !this.#isMoving) {
      this.#isMoving = true;
      this.#retry.after(frame.delay_ms ?? 0, () => this.#openSuccessor());
    }
  }

  #openSuccessor() {
    this.#successor = this.#openLink();
  }

  /**
   * Leaves the old link for its successor, which repeats what the old one has delivered since the successor was opened. Returns false if the log
   * has begun a new epoch since then: what the successor would repeat is of the old one, so another successor takes its place.
   */
  #moveOn(link) {
    if (link.epoch !== this.#position.epoch) {
      link.close();
      this.#openSuccessor();
      return false;
    }
    this.#link.close();
    this.#link = link;
    this.#successor = null;
    this.#isMoving = false;
    return true;
  }
}
