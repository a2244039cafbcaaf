// A client of one session, for browsers: protocol "sessions.v1". No dependencies.
//
//   const client = new SessionClient('my-session');
//   client.addEventListener('question', e => show(e.detail));
//   client.start();
//   client.ask('How are you?');
//
// Events: 'state' (the state of the connection changed), 'question' (a question or its text changed), 'history' (earlier questions were
// inserted), 'refused' (a question was refused), 'problem' (any other error), and 'forgotten': the server has lost these questions and their
// answers, so the responder does not know them. If one of your own unanswered questions is lost, its `lost` is set: ask your user, then call
// `askAgain` or `drop`. Every question has its own id, so asking it again after a lost connection is safe.

import { Api } from './api.js';
import { Link, shouldReconnect } from './link.js';
import { Position } from './position.js';
import { Questions } from './questions.js';
import { Retry } from './retry.js';

const MAX_REWINDS = 3;
const CONNECTION_LOST = 1006;
const TOKEN_EXPIRED = 4005;
const UNAUTHORIZED = 4101;

/** Errors after which the server closes the socket temporarily: the question is asked again on the next socket. */
const COMES_BACK = new Set(['draining', 'internal', 'connection_limit']);

export const newId = prefix => {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return prefix + Array.from(bytes, b => b.toString(16).padStart(2, '0')).join('');
};

const browser = () => ({
  WebSocket: globalThis.WebSocket,
  fetch: (...args) => globalThis.fetch(...args),
  setTimeout: (...args) => globalThis.setTimeout(...args),
  clearTimeout: id => globalThis.clearTimeout(id),
  random: Math.random,
  now: () => Date.now(),
  storage: globalThis.sessionStorage,
});

export class SessionClient extends EventTarget {
  /** The last `hello`: the responder's name, limits and features. */
  hello = null;

  /**
   * `name` is connecting, live, reconnecting or stopped; the close `code`, its `reason` and a `message` for people are set if available. `needsToken` is
   * true if the server wants a token, or another one: call `retryNow` once there is one.
   */
  state = { name: 'stopped' };

  #environment;
  #api;
  #questions;
  #position = new Position();
  #life = null;          // the last known epoch, also while there is no position in it
  #link = null;          // the current socket
  #successor = null;     // the socket that replaces it once the server has greeted it
  #isMoving = false;     // from a `reconnect` until then
  #rewinds = 0;
  #retry;
  #token;
  #running = false;

  /**
   * @param session the session id
   * @param options where the server is: `socketPath` and `apiPath`, which contain `{session}` and are resolved against `base` (by default the
   *   address of the page), and `credentials` as in fetch: 'include' for a server of another origin that needs a cookie. `token` is a function
   *   that returns a token, or a promise of one; it is called for each socket and request, and again before a token expires. An empty text
   *   means that there is none. Other options replace browser functions, for tests.
   */
  constructor(session, {
    base = globalThis.location?.href, socketPath = '/ws/{session}', apiPath = '/v1/sessions/{session}', credentials = 'same-origin',
    token = null, ...environment
  } = {}) {
    super();
    this.session = session;
    this.#environment = { ...(globalThis.document ? browser() : {}), ...environment };
    this.#retry = new Retry(this.#environment);
    this.#token = token;
    this.#api = new Api(session, this.#environment, { base, socketPath, apiPath, credentials, token });
    this.#questions = new Questions(session, this.#environment, this.#api, question => this.#emit('question', question));
  }

  /** All known questions, in the order in which they were asked. */
  get questions() {
    return this.#questions.all;
  }

  /** Milliseconds until the next attempt while the state is 'reconnecting'. */
  get retryInMs() {
    return this.#retry.inMs;
  }

  start() {
    if (!this.#running) {
      this.#running = true;
      this.#retry.reset();
      this.#connect();
    }
  }

  stop() {
    this.#successor?.close();
    this.#link?.close();
    this.#link = this.#successor = null;
    this.#isMoving = false;
    this.#giveUp({});
  }

  /** Connects without waiting for the back-off, because the network is back or a person asked for it. */
  retryNow() {
    if (!this.#running) {
      this.start();
    } else if (this.#link === null) {
      this.#retry.cancel();
      this.#connect();
    }
  }

  /**
   * Asks now, or as soon as the socket is live. The returned question changes as its answer arrives. `options` is an object for the responder,
   * which decides which options it takes. It is copied, because a question is sent again unchanged.
   */
  ask(text, { ifBusy, options, id = newId('q-') } = {}) {
    const question = this.#questions.addMine(id, text, ifBusy, structuredClone(options));
    this.#send(question);
    return question;
  }

  /** Asks a lost question again. The responder does not know the questions that were forgotten with it. */
  askAgain(question) {
    if (question.mine && question.lost) {
      this.#questions.renew(question);
      this.#send(question);
    }
  }

  /** Removes a lost question. */
  drop(question) {
    if (question.lost) {
      this.#questions.remove(question);
    }
  }

  /** Cancels a question; without an id, the running one. Returns false if there is no socket for it. */
  cancel(id) {
    return this.#link?.isGreeted === true && this.#link.send(id ? { type: 'cancel', question_id: id } : { type: 'cancel' });
  }

  // The socket's life.

  #connect() {
    this.#link = this.#open();
    this.#setState({ name: this.hello ? 'reconnecting' : 'connecting' });
  }

  #open() {
    const link = new Link(this.#api.socketUrl(this.#position), this.#environment, {
      frame: frame => this.#receive(link, frame),
      closed: (code, reason) => this.#closed(link, code, reason),
      token: this.#token,
    });
    link.epoch = this.#position.epoch;
    return link;
  }

  #closed(link, code, reason) {
    if (link === this.#successor) {
      // The socket that it was to replace still serves, and there may be another node to go to.
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
      this.#setState({ name: 'reconnecting', code, reason });
      return;
    }
    successor?.close();
    if (code === TOKEN_EXPIRED) {
      this.#replaceToken(link, { code, reason, message: link.lastError?.message });
      return;
    }
    const isRefused = !link.isGreeted && link.lastError?.retryable === false;
    if (isRefused || !shouldReconnect(code)) {
      const needsToken = code === UNAUTHORIZED || (isRefused && link.lastError.code === 'unauthorized');
      this.#giveUp({ code, reason, message: link.lastError?.message, ...(needsToken && { needsToken }) });
      return;
    }
    this.#comeBack(link, { code, reason });
    if (code === CONNECTION_LOST && !link.hasHeard) {
      this.#stopIfRefused();
    }
  }

  #comeBack(link, why) {
    this.#retry.schedule(link, () => this.#connect());
    this.#setState({ name: 'reconnecting', ...why });
  }

  /** The token of a socket has expired. The next socket needs another one; with the same one, it would be refused. */
  async #replaceToken(link, why) {
    this.#setState({ name: 'reconnecting', ...why });
    const isSame = await this.#freshToken(link) === null;
    if (!this.#running || this.#link !== null) {
      return;
    }
    if (isSame) {
      this.#giveUp({ ...why, needsToken: true });
    } else {
      this.#comeBack(link, why);
    }
  }

  /** A token that the server does not have from this socket yet, or null. A token that cannot be had at the moment counts as another one. */
  async #freshToken(link) {
    const token = await Promise.resolve().then(() => this.#token?.() ?? '').catch(() => undefined);
    return token === link.token || token === '' ? null : token;
  }

  /** A socket that never opened gives no reason. If HTTP is refused too, every further attempt is refused. */
  async #stopIfRefused() {
    const refusal = await this.#api.refusal();
    if (refusal !== null && this.#running && !this.#link?.hasHeard) {
      this.#link?.close();
      this.#link = null;
      this.#giveUp({ code: CONNECTION_LOST, reason: '', ...refusal });
    }
  }

  #giveUp(why) {
    this.#running = false;
    this.#retry.cancel();
    this.#setState({ name: 'stopped', ...why });
  }

  #live(link) {
    if (!link.isLive) {
      link.isLive = true;
      this.#rewinds = 0;
      this.#setState({ name: 'live' });
    }
  }

  #send(question) {
    if (this.#link?.isLive) {
      const { id, question: text, ifBusy, options } = question;
      this.#link.send({ type: 'question', id, question: text, ...(ifBusy && { if_busy: ifBusy }), ...(options && { options }) });
    }
  }

  // Frames.

  #receive(link, frame) {
    if (frame.type !== 'error') {
      link.lastError = null;
    }
    switch (frame.type) {
      case 'hello': return this.#onHello(link, frame);
      case 'resumed': return this.#onResumed(link, frame);
      case 'snapshot': return this.#questions.snapshot(frame);
      case 'cancelling': return this.#questions.cancelling(frame);
      case 'error': return this.#onError(link, frame);
      case 'ping': return this.#onPing(link, frame);
      case 'expiring': return this.#onExpiring(link);
      case 'reconnect': return this.#onReconnect(link, frame);
    }
    // Unknown frame types with a `seq` also have a place in the log.
    if (Number.isInteger(frame.seq)) {
      this.#onEvent(link, frame);
    }
  }

  #onHello(link, frame) {
    if (link === this.#successor && !this.#moveOn(link)) {
      return;
    }
    this.hello = frame;
    this.#retry.bounds = { min: frame.reconnect?.min_ms ?? 250, max: frame.reconnect?.max_ms ?? 15_000 };
    link.isGreeted = true;
    link.expectHeartbeatEach(frame.heartbeat_ms || 25_000);
    link.isReplaying = frame.resuming === true;
    if (!link.isReplaying) {
      this.#begin(link, frame.epoch, frame.seq, frame.open);
    }
  }

  #onResumed(link, frame) {
    link.isReplaying = false;
    if (!frame.recovered) {
      this.#begin(link, frame.epoch, frame.to_seq, frame.open);
      return;
    }
    this.#moveTo(frame.epoch, frame.to_seq);
    this.#live(link);
    this.#settle(frame.open).forEach(question => this.#questions.fetch(question));
  }

  /** Starts from a new position. Nothing is known about the events before it. */
  #begin(link, epoch, seq, open) {
    const isNewLife = this.#life !== null && this.#life !== epoch;
    const before = isNewLife ? this.questions.filter(q => q.accepted) : [];
    this.#moveTo(epoch, seq);
    this.#rewinds = 0;
    this.#live(link);
    this.#catchUp(before, this.#settle(open));
  }

  #moveTo(epoch, seq) {
    this.#position.moveTo(epoch, seq);
    this.#life = epoch;
  }

  /**
   * Sends the questions that were never accepted. Returns the accepted questions that are neither open nor finished: they ended while
   * this client was away, or the server has lost them.
   */
  #settle(open = []) {
    const openIds = new Set(open.map(o => o.question_id));
    const missing = [];
    for (const question of this.questions.filter(q => !q.done)) {
      question.cancelling &&= openIds.has(question.id);
      if (openIds.has(question.id)) {
        this.#questions.isOpen(question);
      } else if (question.mine && !question.accepted) {
        this.#send(question);
      } else {
        missing.push(question);
      }
    }
    return missing;
  }

  /** Reads what the socket did not deliver, and finds out which questions a new epoch of the log has forgotten. */
  async #catchUp(before, missing) {
    try {
      const kept = await this.#questions.loadHistory();
      this.#emit('history');
      // If the server still has one of them, it has kept its questions, and older ones were only trimmed.
      if (before.some(q => kept.has(q.id))) {
        before = [];
      }
    } catch {
      before = [];
      this.#emit('problem', { code: 'history', message: 'Earlier questions could not be loaded.' });
    }
    await Promise.all(missing.map(question => this.#questions.fetch(question)));
    const forgotten = before.filter(q => q.done);
    if (forgotten.length > 0) {
      this.#questions.forget(forgotten);
      this.#emit('forgotten', forgotten);
    }
  }

  #onPing(link, frame) {
    link.send({ type: 'pong', seq: frame.seq });
    if (frame.seq > this.#position.last && link.isLive && !link.isReplaying) {
      this.#rewind(link);
    }
  }

  /** Renews the token while the socket stays open. Without another token, the server closes the socket when the token expires. */
  async #onExpiring(link) {
    const token = await this.#freshToken(link);
    if (token && link.send({ type: 'auth', token })) {
      link.token = token;
    }
  }

  /** The server wants this socket to go, but serves it until another one is open. */
  #onReconnect(link, frame) {
    if (link === this.#link && !this.#isMoving) {
      this.#isMoving = true;
      this.#retry.after(frame.delay_ms ?? 0, () => this.#openSuccessor());
    }
  }

  #openSuccessor() {
    this.#successor = this.#open();
  }

  /**
   * Leaves the old socket for its successor, which repeats what the old one has delivered since the successor was opened. Returns false if the log
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

  #onEvent(link, frame) {
    const last = this.#position.last;
    const verdict = this.#position.judge(frame, link.isReplaying);
    if (verdict === 'rewind') {
      this.#rewind(link);
    }
    if (verdict !== 'apply') {
      return;
    }
    if (this.#position.last > last && !frame.replay) {
      this.#rewinds = 0;
    }
    switch (frame.type) {
      case 'accepted': return this.#questions.accepted(frame);
      case 'delta': return this.#questions.delta(frame);
      case 'done': return this.#questions.done(frame);
    }
  }

  /** Requests every event after the last one. A socket that cannot deliver them is replaced by a new one without a position. */
  #rewind(link) {
    if (++this.#rewinds > MAX_REWINDS) {
      this.#rewinds = 0;
      this.#position.moveTo(null, 0);
      link.abandon();
      return;
    }
    link.isReplaying = true;
    link.send({ type: 'resume', epoch: this.#position.epoch, after_seq: this.#position.last });
  }

  #onError(link, frame) {
    link.lastError = frame;
    if (frame.param === 'token' && frame.retryable) {
      // The server could not check the token that was sent, so the next socket can send it again.
      link.token = '';
    }
    if (link === this.#successor) {
      return;
    }
    const question = this.#questions.get(frame.question_id);
    const isAboutAsking = question?.mine && !question.accepted && !question.done && frame.code !== 'question_not_found';
    if (!isAboutAsking) {
      this.#emit('problem', frame);
    } else if (!COMES_BACK.has(frame.code)) {
      this.#questions.remove(question);
      this.#emit('refused', { question, error: frame });
    }
  }

  #emit(name, detail) {
    this.dispatchEvent(Object.assign(new Event(name), { detail }));
  }

  #setState(state) {
    this.state = state;
    this.#emit('state', state);
  }
}
