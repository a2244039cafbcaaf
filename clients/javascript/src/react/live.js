// What a page shows of a session: its questions with their text so far, as a value that changes at most once a frame. `useSession` is the hook for it.

import { checkSessionId, newId } from '../ids.js';
import { connect } from '../session.js';

/** Text that arrives within this time is shown at once: 60 times a second is as often as a screen shows it. */
const FRAME_MS = 16;
const FINAL = new Set(['completed', 'incomplete', 'cancelled', 'failed', 'timeout']);
const STATUS_OF = { RefusedError: 'refused', LostError: 'lost', UnreadableError: 'unreadable', StoppedError: 'stopped' };
const ENDED = { isOpen: false, isCancelling: false, position: 0 };

const blank = id => ({
  id, question: undefined, text: '', status: 'accepted', position: 0, isOpen: true, isMine: false, isCancelling: false, reason: null, message: null,
  retryable: false, retryAfterMs: null, firstMs: null, totalMs: null, askedAt: undefined, error: null,
});

/** While it has subscribers, it has a connection. Without one it keeps what it shows. */
export class LiveSession {
  /** Those of the last render. What the caller changes has no effect on an open connection, except for `token`. */
  options;

  #session = null;
  #listeners = new Set();
  #questions = new Map();     // immutable values, in the order in which they were asked
  #followed = new Set();      // the ids whose updates come over this connection
  #dismissed = new Set();     // the ids that the history must not bring back
  #problem = null;
  #isLoaded = false;
  #frame = null;
  #willNotify = false;
  #snapshot;
  #empty;

  constructor(url, id, options = {}) {
    checkSessionId(id);
    this.url = url;
    this.id = id;
    this.options = options;
    this.#snapshot = this.#empty = this.#take();
  }

  // The store of `useSyncExternalStore`.

  subscribe = listener => {
    this.#listeners.add(listener);
    this.#open();
    return () => {
      this.#listeners.delete(listener);
      this.#closeUnlessUsed();
    };
  };

  getSnapshot = () => this.#snapshot;

  /** What a server renders, and what a page hydrates. Nothing is connected for it. */
  getServerSnapshot = () => this.#empty;

  // What a page does.

  ask = (text, { id = newId('q-'), ...options } = {}) => this.#use(session => {
    const answer = session.ask(text, { id, ...options });
    if (!this.#questions.get(id)?.isOpen) {
      // A question that is asked again is the newest one.
      this.#questions.delete(id);
      this.#dismissed.delete(id);
      this.#questions.set(id, { ...blank(id), question: text, isMine: true, status: 'sending' });
      this.#problem = null;
      this.#changed();
      answer.whole.catch(error => this.#update(id, { status: STATUS_OF[error.name], error, ...ENDED }));
    }
    return answer;
  });

  cancel = id => this.#use(async session => {
    const open = id ?? session.answer()?.id ?? this.#openIds[0];
    this.#update(open, { isCancelling: true });
    try {
      await session.cancel(id);
    } catch (error) {
      this.#update(open, { isCancelling: false });
      throw error;
    }
  });

  dismiss = id => {
    if (this.#questions.get(id)?.isOpen === false) {
      this.#questions.delete(id);
      this.#dismissed.add(id);
      this.#changed();
    }
  };

  retryNow = () => this.#session?.retryNow();

  // The connection.

  #open() {
    if (this.#session === null) {
      const { token, limit, ...options } = this.options;
      const session = connect(this.url, this.id, { ...options, token: () => tokenOf(this.options) });
      this.#session = session;
      this.#followed.clear();
      session.addEventListener('state', () => this.#onState(session));
      session.addEventListener('gap', () => this.#load(session));
      session.addEventListener('problem', ({ detail }) => this.#report(session, detail));
      this.#follow(session);
      this.#changed();
    }
    return this.#session;
  }

  /** An effect of a child can ask before the page has subscribed. */
  #use(work) {
    try {
      return work(this.#open());
    } finally {
      this.#closeUnlessUsed();
    }
  }

  /** A page that is mounted twice in a row, as in StrictMode, keeps its connection. */
  #closeUnlessUsed() {
    queueMicrotask(() => {
      if (this.#listeners.size === 0) {
        const session = this.#session;
        this.#session = null;
        session?.close();
      }
    });
  }

  #onState(session) {
    if (this.#session !== session) {
      return;
    }
    if (session.state === 'live') {
      this.#problem = null;
      this.#load(session);
    }
    if (session.state === 'stopped') {
      this.#openIds.forEach(id => this.#update(id, { status: 'stopped', ...ENDED }));
    }
    this.#changed();
  }

  #report(session, error) {
    if (this.#session === session) {
      this.#problem = error;
      this.#changed();
    }
  }

  async #follow(session) {
    try {
      for await (const { id, type, question, ...more } of session.follow()) {
        if (this.#session !== session) {
          return;
        }
        this.#apply(id, type, question, more);
      }
    } catch (error) {
      // A session that has stopped says why by itself. Otherwise the page was too busy to read: what it missed is in the history.
      if (error.name !== 'StoppedError' && this.#session === session) {
        this.#followed.clear();
        this.#follow(session);
        this.#load(session);
      }
    }
  }

  #apply(id, type, question, more) {
    const known = this.#questions.get(id) ?? blank(id);
    switch (type) {
      case 'accepted':
        // The text so far follows.
        this.#followed.add(id);
        this.#dismissed.delete(id);
        this.#questions.set(id, {
          ...blank(id), ...more, status: more.position > 0 ? 'queued' : type,
          question: question ?? known.question, isMine: known.isMine, askedAt: known.askedAt,
        });
        return this.#changed(known.text ? FRAME_MS : 0);
      case 'text': return this.#update(id, { text: known.text + more.text, status: 'answering', position: 0 }, FRAME_MS);
      case 'restarted': return this.#update(id, { text: '' }, FRAME_MS);
      case 'ended': return this.#update(id, { ...more, ...ENDED });
      case 'lost': case 'unreadable': return this.#update(id, { status: type, ...ENDED });
    }
  }

  // The history.

  /** Each time the session is live, and when it has missed something since then, because others can have asked meanwhile. */
  async #load(session) {
    const before = new Set(this.#questions.keys());
    let stored;
    try {
      stored = await session.history(this.options.limit);
    } catch (error) {
      return this.#report(session, error);
    }
    if (this.#session === session) {
      this.#merge(stored, before);
      this.#isLoaded = true;
      this.#changed();
    }
  }

  /** @param before the questions that were known before the history was read: it is older than the others */
  #merge(records, before) {
    const stored = records.filter(record => !this.#dismissed.has(record.id));
    const ids = new Set(stored.map(record => record.id));
    const isKnown = id => ids.has(id) || this.#followed.has(id) || this.#questions.get(id).status === 'sending';
    this.#openIds.filter(id => before.has(id) && !isKnown(id)).forEach(id => this.#update(id, { status: 'lost', ...ENDED }));
    const order = [...this.#questions.keys()];
    let at = 1 + order.findLastIndex(id => ids.has(id) || (before.has(id) && !this.#questions.get(id).isOpen));
    for (const { id } of [...stored].reverse()) {
      const known = order.indexOf(id);
      at = known >= 0 ? known : at;
      order.splice(at, known >= 0 ? 1 : 0, id);
    }
    const questions = new Map(order.map(id => [id, this.#questions.get(id) ?? blank(id)]));
    for (const record of stored) {
      const known = questions.get(record.id);
      // What is followed has the newer text.
      const news = this.#followed.has(record.id)
        ? { question: known.question ?? record.question, askedAt: record.askedAt }
        : { ...record, error: null, isOpen: !FINAL.has(record.status) };
      questions.set(record.id, withNews(known, news));
    }
    this.#questions = questions;
  }

  get #openIds() {
    return [...this.#questions.values()].filter(question => question.isOpen).map(question => question.id);
  }

  // The snapshot.

  #update(id, news, withinMs) {
    if (this.#questions.has(id)) {
      this.#questions.set(id, withNews(this.#questions.get(id), news));
      this.#changed(withinMs);
    }
  }

  #changed(withinMs = 0) {
    if (withinMs > 0) {
      this.#frame ??= setTimeout(() => this.#notify(), withinMs);
    } else if (!this.#willNotify) {
      this.#willNotify = true;
      queueMicrotask(() => this.#notify());
    }
  }

  #notify() {
    clearTimeout(this.#frame);
    this.#frame = null;
    this.#willNotify = false;
    this.#snapshot = this.#take();
    this.#listeners.forEach(listener => listener());
  }

  #take() {
    const questions = [...this.#questions.values()];
    const before = this.#snapshot?.questions;
    const isSame = before?.length === questions.length && questions.every((question, i) => question === before[i]);
    const { state = 'connecting', stopped = null, hello = null } = this.#session ?? {};
    return {
      questions: isSame ? before : questions, busy: questions.some(question => question.isOpen), state, stopped, hello, isLoaded: this.#isLoaded,
      problem: this.#problem, ask: this.ask, cancel: this.cancel, dismiss: this.dismiss, retryNow: this.retryNow,
    };
  }
}

const tokenOf = ({ token }) => typeof token === 'function' ? token() : token;

/** The same object if nothing in it changes, so that nothing is rendered for it. */
const withNews = (question, news) =>
  Object.entries(news).every(([name, value]) => Object.is(question[name], value)) ? question : { ...question, ...news };
