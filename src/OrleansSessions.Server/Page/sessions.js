// A client of one session, for browsers: protocol "sessions.v1". No dependencies.
//
//   const client = new SessionClient('my-session');
//   client.addEventListener('question', e => show(e.detail));
//   client.start();
//   client.ask('How are you?');
//
// Events: 'state' (of the connection), 'question' (one question or its text changed), 'history' (earlier questions were inserted),
// 'refused' (a question was not taken), 'problem' (any other error).
// Every question is asked under an id of its own, so asking it again after a lost connection is harmless.

import { Link, backOff, shouldReconnect } from './link.js';
import { Questions } from './questions.js';

const STEADY_MS = 10_000;
const MAX_REWINDS = 3;

/** Errors after which the server closes the socket for a while: the question is asked again on the next one. */
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
  base: globalThis.location?.href,
  storage: globalThis.sessionStorage,
});

export class SessionClient extends EventTarget {
  /** The last `hello`: the responder's name, limits, features. */
  hello = null;

  /** `name` is connecting, live, reconnecting or stopped; the close code and reason where there was one. */
  state = { name: 'stopped' };

  #environment;
  #questions;
  #link = null;          // the socket that is served
  #successor = null;     // the one that takes over once it is live
  #epoch = null;
  #last = 0;
  #rewinds = 0;
  #attempt = 0;
  #advised = 0;
  #bounds = { min: 250, max: 15_000 };
  #retryTimer = null;
  #retryAt = 0;
  #running = false;
  #lastError = null;

  /** `environment` replaces parts of what the browser gives, for tests. */
  constructor(session, environment = {}) {
    super();
    this.session = session;
    this.#environment = { ...(globalThis.document ? browser() : {}), ...environment };
    this.#questions = new Questions(session, this.#environment, question => this.#emit('question', question));
  }

  /** Every question known, in the order they were asked. */
  get questions() {
    return this.#questions.all;
  }

  /** Milliseconds until the next attempt, while the state is 'reconnecting'. */
  get retryInMs() {
    return Math.max(0, this.#retryAt - this.#environment.now());
  }

  start() {
    if (!this.#running) {
      this.#running = true;
      this.#attempt = 0;
      this.#connect();
    }
  }

  stop() {
    this.#running = false;
    this.#environment.clearTimeout(this.#retryTimer);
    this.#successor?.close();
    this.#link?.close();
    this.#link = this.#successor = null;
    this.#setState({ name: 'stopped' });
  }

  /** Does not wait for the back-off: the network is said to be back, or a person asked for it. */
  retryNow() {
    if (!this.#running) {
      this.start();
    } else if (this.#link === null) {
      this.#environment.clearTimeout(this.#retryTimer);
      this.#connect();
    }
  }

  /** Asks, now or as soon as the socket is live. The question returned changes as its answer comes. */
  ask(text, { ifBusy, id = newId('q-') } = {}) {
    const question = this.#questions.addMine(id, text, ifBusy);
    this.#send(question);
    return question;
  }

  /** Asks for the end of a question; without an id, of the running one. False where there is no socket to say it on. */
  cancel(id) {
    return this.#link?.isLive === true && this.#link.send(id ? { type: 'cancel', question_id: id } : { type: 'cancel' });
  }

  // The socket's life.

  #connect() {
    this.#link = this.#open();
    this.#setState({ name: this.hello ? 'reconnecting' : 'connecting' });
  }

  #open() {
    const url = new URL(`/ws/${encodeURIComponent(this.session)}`, this.#environment.base);
    url.protocol = url.protocol.replace('http', 'ws');
    if (this.#epoch !== null) {
      url.searchParams.set('epoch', this.#epoch);
      url.searchParams.set('after', String(this.#last));
    }
    const link = new Link(url.href, this.#environment, {
      frame: frame => this.#receive(link, frame),
      closed: (code, reason) => this.#closed(link, code, reason),
    });
    return link;
  }

  #closed(link, code, reason) {
    if (link === this.#successor) {
      this.#successor = null;
      return;
    }
    this.#link = this.#successor;
    this.#successor = null;
    if (this.#link !== null) {
      return;
    }
    // 4005 wants a new token first, and this client has none to give.
    if (!shouldReconnect(code) || code === 4005) {
      this.#running = false;
      this.#setState({ name: 'stopped', code, reason, message: this.#lastError?.message });
      return;
    }
    if (link.isLive && this.#environment.now() - link.liveSince >= STEADY_MS) {
      this.#attempt = 0;
    }
    const wait = backOff(this.#attempt++, this.#bounds, this.#advised, this.#environment.random);
    this.#advised = 0;
    this.#retryAt = this.#environment.now() + wait;
    this.#retryTimer = this.#environment.setTimeout(() => this.#connect(), wait);
    this.#setState({ name: 'reconnecting', code, reason });
  }

  #live(link) {
    if (link === this.#successor) {
      this.#link?.close();
      this.#link = link;
      this.#successor = null;
    }
    link.isLive = true;
    link.liveSince = this.#environment.now();
    this.#rewinds = 0;
    this.#lastError = null;
    this.#questions.all.filter(q => q.mine && !q.done && !q.accepted).forEach(q => this.#send(q));
    this.#setState({ name: 'live' });
  }

  #send(question) {
    if (this.#link?.isLive) {
      this.#link.send({ type: 'question', id: question.id, question: question.question, ...(question.ifBusy && { if_busy: question.ifBusy }) });
    }
  }

  // Frames.

  #receive(link, frame) {
    this.#lastError = null;
    switch (frame.type) {
      case 'hello': return this.#onHello(link, frame);
      case 'resumed': return this.#onResumed(link, frame);
      case 'snapshot': return this.#questions.snapshot(frame);
      case 'cancelling': return this.#questions.cancelling(frame);
      case 'error': return this.#onError(frame);
      case 'ping': return link.send({ type: 'pong', seq: this.#last });
      case 'reconnect': return this.#onReconnect(link, frame);
    }
    // Types that this client does not know have their place in the numbers all the same.
    if (Number.isInteger(frame.seq)) {
      this.#onEvent(link, frame);
    }
  }

  #onHello(link, frame) {
    this.hello = frame;
    this.#bounds = { min: frame.reconnect?.min_ms ?? 250, max: frame.reconnect?.max_ms ?? 15_000 };
    link.expectLifeWithin(2 * (frame.heartbeat_ms || 25_000));
    if (!frame.resuming) {
      this.#begin(link, frame.epoch, frame.seq, frame.open);
    }
  }

  #onResumed(link, frame) {
    link.rewinding = false;
    if (!frame.recovered) {
      this.#begin(link, frame.epoch, frame.to_seq, frame.open);
      return;
    }
    this.#epoch = frame.epoch;
    this.#last = frame.to_seq;
    if (!link.isLive) {
      this.#live(link);
    }
  }

  /** From a new position, with nothing known of what lies before it. */
  #begin(link, epoch, seq, open) {
    this.#epoch = epoch;
    this.#last = seq;
    const known = new Set((open ?? []).map(o => o.question_id));
    for (const question of this.#questions.all.filter(q => !q.done)) {
      question.accepted = known.has(question.id);
      question.cancelling = false;
      if (!question.accepted && !question.mine) {
        this.#questions.fetch(question);
      }
    }
    this.#live(link);
    this.#loadHistory();
  }

  async #loadHistory() {
    if (await this.#questions.loadHistory()) {
      this.#emit('history');
    } else {
      this.#emit('problem', { code: 'history', message: 'Earlier questions could not be loaded.' });
    }
  }

  #onReconnect(link, frame) {
    this.#environment.setTimeout(() => {
      if (link === this.#link && this.#successor === null) {
        this.#successor = this.#open();
      }
    }, frame.delay_ms ?? 0);
  }

  #onEvent(link, frame) {
    const isOld = frame.seq <= this.#last;
    if (link.rewinding && !frame.replay || isOld && !frame.replay && !frame.duplicate) {
      return;
    }
    if (!isOld && !frame.duplicate) {
      if ((frame.from_seq ?? frame.seq) !== this.#last + 1) {
        this.#rewind(link);
        return;
      }
      this.#last = frame.seq;
      this.#rewinds = frame.replay ? this.#rewinds : 0;
    }
    switch (frame.type) {
      case 'accepted': return this.#questions.accepted(frame);
      case 'delta': return this.#questions.delta(frame);
      case 'done': return this.#questions.done(frame);
    }
  }

  /** Asks for everything after the last event; a socket that cannot give it is left for a new one, without a position. */
  #rewind(link) {
    if (++this.#rewinds > MAX_REWINDS) {
      this.#epoch = null;
      link.abandon();
      return;
    }
    link.rewinding = true;
    link.send({ type: 'resume', epoch: this.#epoch, after_seq: this.#last });
  }

  #onError(frame) {
    this.#advised = COMES_BACK.has(frame.code) ? frame.retry_after_ms ?? 0 : 0;
    this.#lastError = frame;
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
