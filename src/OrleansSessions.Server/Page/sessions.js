// A client of one session, for browsers: protocol "sessions.v1". No dependencies.
//
//   const client = new SessionClient('my-session');
//   client.addEventListener('question', e => show(e.detail));
//   client.start();
//   client.ask('How are you?');
//
// Events: 'state' (of the connection), 'question' (one question or its text changed), 'history' (earlier questions were inserted),
// 'refused' (a question was not taken), 'problem' (any other error), and 'forgotten': the server has lost these questions and their answers,
// so the responder does not know them. One of your own that had no answer yet has `lost` set: ask your user, then call `askAgain` or `drop`.
// Every question is asked under an id of its own, so asking it again after a lost connection is harmless.

import { Api } from './api.js';
import { Link, shouldReconnect } from './link.js';
import { Position } from './position.js';
import { Questions } from './questions.js';
import { Retry } from './retry.js';

const MAX_REWINDS = 3;
const CONNECTION_LOST = 1006;

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
  storage: globalThis.sessionStorage,
});

export class SessionClient extends EventTarget {
  /** The last `hello`: the responder's name, limits, features. */
  hello = null;

  /** `name` is connecting, live, reconnecting or stopped, with the close `code`, its `reason` and a `message` for people where there was one. */
  state = { name: 'stopped' };

  #environment;
  #api;
  #questions;
  #position = new Position();
  #life = null;          // the last epoch known, also while there is no position in it
  #link = null;          // the socket that is served
  #successor = null;     // the one that takes over once it is live
  #rewinds = 0;
  #retry;
  #running = false;

  /**
   * @param session the session's id
   * @param options where the server is found: `socketPath` and `apiPath`, which hold `{session}` and are resolved against `base`
   *   (by default the page's own address), and `credentials` as fetch has it: 'include' for a server of another origin that wants a cookie. Whatever else is given replaces parts of what the browser gives, for tests.
   */
  constructor(session, {
    base = globalThis.location?.href, socketPath = '/ws/{session}', apiPath = '/v1/sessions/{session}', credentials = 'same-origin',
    ...environment
  } = {}) {
    super();
    this.session = session;
    this.#environment = { ...(globalThis.document ? browser() : {}), ...environment };
    this.#retry = new Retry(this.#environment);
    this.#api = new Api(session, this.#environment, { base, socketPath, apiPath, credentials });
    this.#questions = new Questions(session, this.#environment, this.#api, question => this.#emit('question', question));
  }

  /** Every question known, in the order they were asked. */
  get questions() {
    return this.#questions.all;
  }

  /** Milliseconds until the next attempt, while the state is 'reconnecting'. */
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
    this.#giveUp({});
  }

  /** Does not wait for the back-off: the network is said to be back, or a person asked for it. */
  retryNow() {
    if (!this.#running) {
      this.start();
    } else if (this.#link === null) {
      this.#retry.cancel();
      this.#connect();
    }
  }

  /** Asks, now or as soon as the socket is live. The question returned changes as its answer comes. */
  ask(text, { ifBusy, id = newId('q-') } = {}) {
    const question = this.#questions.addMine(id, text, ifBusy);
    this.#send(question);
    return question;
  }

  /** Asks a lost question once more. The responder answers without the questions that were forgotten with it. */
  askAgain(question) {
    if (question.mine && question.lost) {
      this.#questions.renew(question);
      this.#send(question);
    }
  }

  /** Gives a lost question up. */
  drop(question) {
    if (question.lost) {
      this.#questions.remove(question);
    }
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
    const link = new Link(this.#api.socketUrl(this.#position), this.#environment, {
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
    const isRefused = !link.isGreeted && link.lastError?.retryable === false;
    // 4005 wants a new token first, and this client has none to give.
    if (isRefused || !shouldReconnect(code) || code === 4005) {
      this.#giveUp({ code, reason, message: link.lastError?.message });
      return;
    }
    this.#retry.schedule(link.openForMs, () => this.#connect());
    this.#setState({ name: 'reconnecting', code, reason });
    if (code === CONNECTION_LOST && !link.hasHeard) {
      this.#stopIfRefused();
    }
  }

  /** A socket that never opened tells no reason. Where HTTP is refused too, so is every further attempt. */
  async #stopIfRefused() {
    const message = await this.#api.refusal();
    if (message !== null && this.#running && !this.#link?.hasHeard) {
      this.#link?.close();
      this.#link = null;
      this.#giveUp({ code: CONNECTION_LOST, reason: '', message });
    }
  }

  #giveUp(why) {
    this.#running = false;
    this.#retry.cancel();
    this.#setState({ name: 'stopped', ...why });
  }

  #live(link) {
    if (link === this.#successor) {
      this.#link?.close();
      this.#link = link;
      this.#successor = null;
    }
    if (!link.isLive) {
      link.isLive = true;
      this.#rewinds = 0;
      this.#setState({ name: 'live' });
    }
  }

  #send(question) {
    if (this.#link?.isLive) {
      this.#link.send({ type: 'question', id: question.id, question: question.question, ...(question.ifBusy && { if_busy: question.ifBusy }) });
    }
  }

  // Frames.

  #receive(link, frame) {
    if (frame.type !== 'error') {
      link.lastError = null;
      this.#retry.advised = 0;
    }
    switch (frame.type) {
      case 'hello': return this.#onHello(link, frame);
      case 'resumed': return this.#onResumed(link, frame);
      case 'snapshot': return this.#questions.snapshot(frame);
      case 'cancelling': return this.#questions.cancelling(frame);
      case 'error': return this.#onError(link, frame);
      case 'ping': return this.#onPing(link, frame);
      case 'reconnect': return this.#onReconnect(link, frame);
    }
    // Types that this client does not know have their place in the numbers all the same.
    if (Number.isInteger(frame.seq)) {
      this.#onEvent(link, frame);
    }
  }

  #onHello(link, frame) {
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

  /** From a new position, with nothing known of what lies before it. */
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

  /** Sends what was never accepted. Returns what was accepted and is neither open nor finished: it ended unseen, or the server has lost it. */
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

  /** Reads what the socket did not bring, and finds out what a new life of the log has forgotten. */
  async #catchUp(before, missing) {
    try {
      const kept = await this.#questions.loadHistory();
      this.#emit('history');
      // One that the server still has proves that it kept its questions, and that older ones were only trimmed.
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

  #onReconnect(link, frame) {
    this.#environment.setTimeout(() => {
      if (link === this.#link && this.#successor === null) {
        this.#successor = this.#open();
      }
    }, frame.delay_ms ?? 0);
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

  /** Asks for everything after the last event; a socket that cannot give it is left for a new one, without a position. */
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
    this.#retry.advised = frame.retry_after_ms ?? 0;
    link.lastError = frame;
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
