// A session as a page shows it: all its questions in order, with those before the page was opened, across reloads, and with what the server has
// forgotten. The server's own page uses it. `connect` in index.js is for everything else.
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
import { environmentWith } from './environment.js';
import { Follower } from './follower.js';
import { newId } from './ids.js';
import { Pending } from './pending.js';

export { newId };

export class SessionClient extends EventTarget {
  /**
   * `name` is connecting, live, reconnecting or stopped; the close `code`, its `reason` and a `message` for people are set if available. `needsToken` is
   * true if the server wants a token, or another one: call `retryNow` once there is one.
   */
  state = { name: 'stopped' };

  #api;
  #follower;
  #questions;
  #pending;

  /**
   * @param session the session id
   * @param options where the server is: `socketPath` and `apiPath`, which contain `{session}` and are resolved against `base` (by default the
   *   address of the page), and `credentials` as in fetch: 'include' for a server of another origin that needs a cookie. `token` is a function
   *   that returns a token, or a promise of one; it is called for each connection and request, and again before a token expires. An empty text
   *   means that there is none. Other options replace browser functions, for tests.
   */
  constructor(session, {
    base = globalThis.location?.href, socketPath = '/ws/{session}', apiPath = '/v1/sessions/{session}', credentials, token, transport,
    storage = globalThis.sessionStorage, ...environment
  } = {}) {
    super();
    const resolve = path => new URL(path.replace('{session}', encodeURIComponent(session)), base);
    const full = environmentWith(environment);
    this.session = session;
    this.#pending = new Pending(storage, session);
    this.#api = new Api(full, resolve(socketPath), resolve(apiPath), { credentials, token });
    this.#follower = new Follower(full, this.#api, { token, transport }, {
      state: state => this.#onState(state),
      updated: (question, update) => this.#onUpdate(question, update),
      refused: (question, error) => this.#onRefused(question, error),
      problem: error => this.#emit('problem', error),
      begun: (missing, before) => this.#catchUp(missing, before),
    });
    this.#questions = this.#follower.questions;
    for (const { id, question, ifBusy, options, accepted = false } of this.#pending.load()) {
      Object.assign(this.#questions.add(id, { question, ifBusy, options }), { accepted, status: accepted ? 'accepted' : 'sending' });
    }
  }

  /** The last `hello`: the responder's name, limits and features. */
  get hello() {
    return this.#follower.hello;
  }

  /** All known questions, in the order in which they were asked. */
  get questions() {
    return this.#questions.all;
  }

  /** Milliseconds until the next attempt while the state is 'reconnecting'. */
  get retryInMs() {
    return this.#follower.connection.retryInMs;
  }

  start() {
    this.#follower.connection.start();
  }

  stop() {
    this.#follower.connection.stop();
  }

  /** Connects without waiting for the back-off, because the network is back or a person asked for it. */
  retryNow() {
    this.#follower.connection.retryNow();
  }

  /**
   * Asks now, or as soon as the connection is live. The returned question changes as its answer arrives. `options` is an object for the responder,
   * which decides which options it takes. It is copied, because a question is sent again unchanged.
   */
  ask(text, { ifBusy, options, id = newId('q-') } = {}) {
    const question = this.#questions.add(id, { question: text, ifBusy, options: structuredClone(options) });
    this.#save();
    this.#emit('question', question);
    this.#follower.ask(question);
    return question;
  }

  /** Asks a lost question again. The responder does not know the questions that were forgotten with it. */
  askAgain(question) {
    if (question.mine && question.lost) {
      this.#questions.renew(question);
      this.#follower.ask(question);
    }
  }

  /** Removes a lost question. */
  drop(question) {
    if (question.lost) {
      this.#questions.remove(question);
      this.#save();
    }
  }

  /** Cancels a question; without an id, the running one. Returns false if there is no connection for it. */
  cancel(id) {
    if (this.#follower.connection.link === null) {
      return false;
    }
    this.#follower.cancel(id).catch(error => error && this.#emit('problem', error));
    return true;
  }

  #onState({ name, close: code, closeReason: reason, message, needsToken }) {
    this.state = { name, ...(code !== undefined && { code, reason, message }), ...(needsToken && { needsToken }) };
    if (name === 'stopped') {
      this.#follower.abandonCancels(null);
    }
    this.#emit('state', this.state);
  }

  #onUpdate(question, { type }) {
    if (type !== 'text') {
      this.#save();
    }
    this.#emit('question', question);
  }

  #onRefused(question, error) {
    this.#save();
    this.#emit('refused', { question, error });
  }

  /** Reads what the connection did not deliver, and finds out which questions a new life of the session has forgotten. */
  async #catchUp(missing, before) {
    try {
      const kept = await this.#loadHistory();
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
    for (const question of forgotten) {
      question.forgotten = true;
      this.#emit('question', question);
    }
    if (forgotten.length > 0) {
      this.#emit('forgotten', forgotten);
    }
  }

  /**
   * Loads earlier questions for a page that has just been opened, after `hello`, so that later events arrive over the connection.
   * @returns the ids that the server has, at most the last 50
   */
  async #loadHistory() {
    const stored = await this.#api.questions();
    const ids = stored.map(item => item.question_id);
    this.#insert(ids);
    stored.forEach(item => this.#questions.stored(item));
    return new Set(ids);
  }

  /** Inserts unknown ids before the next known id or, if there is none, before the open questions. */
  #insert(ids) {
    const order = this.questions.map(q => q.id);
    const open = this.questions.findIndex(q => !q.done);
    let at = open < 0 ? order.length : open;
    for (const id of [...ids].reverse()) {
      const known = order.indexOf(id);
      if (known >= 0) {
        at = known;
      } else {
        this.#questions.obtain(id);
        order.splice(at, 0, id);
      }
    }
    this.#questions.sort(order);
  }

  #save() {
    this.#pending.save(this.questions);
  }

  #emit(name, detail) {
    this.dispatchEvent(Object.assign(new Event(name), { detail }));
  }
}
