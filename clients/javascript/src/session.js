// One session of the server, for programs and pages: ask, follow, cancel, read. It reconnects and resumes until it is closed, or until the server
// says that it will not change its mind.

import { Answer } from './answer.js';
import { Api } from './api.js';
import { environmentWith } from './environment.js';
import { LostError, RefusedError, StoppedError, UnreadableError } from './errors.js';
import { Follower } from './follower.js';
import { checkQuestionId, checkSessionId, newId } from './ids.js';
import { resultOf } from './questions.js';
import { Updates } from './updates.js';

const OPEN_UPDATES = new Set(['accepted', 'text', 'restarted']);
const ERROR_OF = { lost: LostError, unreadable: UnreadableError };
const STOPPED = {
  closed: 'The session was closed.',
  refused: 'The server refuses this client.',
  token_expired: 'The token has expired, and there is no other one.',
  session_removed: 'The session was removed.',
  protocol: 'Client and server do not understand each other.',
  ended: 'The server ended the connection.',
};

/** Opens a session and connects at once. `index.d.ts` describes all of it for callers. */
export const connect = (url, session, options) => new Session(url, session, options);

class Session extends EventTarget {
  /** `connecting`, `live`, `reconnecting` or `stopped`. The event `state` follows each change. */
  state = 'connecting';

  /** Once the session has stopped: the `reason`, the contract's error `code` and the `close` code if there were any, and a `message` for people. */
  stopped = null;

  #api;
  #follower;
  #answers = new Map();
  #readers = new Set();

  constructor(url, session, { token, socketPath = '/ws/{session}', apiPath = '/v1/sessions/{session}', credentials, transport, ...environment } = {}) {
    super();
    checkSessionId(session);
    const tokenOf = typeof token === 'string' ? () => token : token;
    const full = environmentWith(environment);
    this.id = session;
    this.#api = new Api(full, addressOf(url, socketPath, session), addressOf(url, apiPath, session), { credentials, token: tokenOf });
    this.#follower = new Follower(full, this.#api, { token: tokenOf, transport }, {
      state: state => this.#onState(state),
      updated: (question, update) => this.#onUpdate(question, update),
      refused: (question, error) => this.#fail(question.id, new RefusedError(error)),
      problem: error => this.#emit('problem', new RefusedError(error)),
      begun: (missing, _, wasLive) => {
        missing.forEach(question => this.#follower.questions.fetch(question));
        if (wasLive) {
          // For `useSession`: what others have asked meanwhile is only in the history.
          this.#emit('gap');
        }
      },
    });
    this.#follower.connection.start();
  }

  /** The last `hello`: the responder's name, limits and features; null before the first one. */
  get hello() {
    return this.#follower.hello;
  }

  /** Asks now, or as soon as the session is live. A question that was never accepted is sent again under its id after a lost connection. */
  ask(text, { id = newId('q-'), ifBusy, options, metadata } = {}) {
    checkQuestionId(id);
    if (typeof text !== 'string' || text === '') {
      throw new TypeError(`A question is a text that is not empty, not ${JSON.stringify(text)}.`);
    }
    const known = this.#follower.questions.get(id);
    if (this.#answers.has(id) || (known?.accepted && !known.done)) {
      if ((known.question ?? text) !== text) {
        throw new TypeError(`The question ${id} is open with another text.`);
      }
      const answer = this.#answerTo(known);
      if (known.question === undefined) {
        this.#compare(id, text);
      }
      return answer;
    }
    // What the caller changes later is not sent. What cannot be sent is the caller's mistake, and fails here.
    const asked = structuredClone({ question: text, ifBusy, options, metadata });
    JSON.stringify(asked);
    const question = this.#follower.questions.add(id, asked);
    const answer = this.#answerTo(question);
    this.#follower.ask(question);
    return answer;
  }

  /**
   * The answer to an open question, whoever asked it; without an id, to the running one. Null if there is none, as far as the session knows:
   * it knows once it is live. Nothing is asked.
   */
  answer(id) {
    const question = this.#follower.questions.open.find(q => !id || q.id === id);
    return question ? this.#answerTo(question) : null;
  }

  /**
   * Cancels this question, or the running one, whoever asked it; now, or as soon as the session is live. Fulfilled once the server has taken
   * the cancel, or if the question has ended; rejected with RefusedError or StoppedError.
   */
  async cancel(id) {
    if (id !== undefined) {
      checkQuestionId(id);
    }
    if (this.stopped) {
      throw new StoppedError(this.stopped);
    }
    try {
      await this.#follower.cancel(id);
    } catch (error) {
      throw error instanceof StoppedError ? error : new RefusedError(error);
    }
  }

  /**
   * The updates of all questions of the session from now on, own and others', each with the `id` and, if known, the `question`. What is open
   * comes first, with its text so far. A question can also end as `lost` or `unreadable`.
   */
  follow() {
    const updates = new Updates(reader => this.#readers.delete(reader));
    for (const question of this.#follower.questions.open) {
      updates.push(followed(question, { type: 'accepted', position: question.position }));
      if (question.text) {
        updates.push(followed(question, { type: 'text', text: question.text }));
      }
    }
    if (this.stopped) {
      this.#endReader(updates);
    } else {
      this.#readers.add(updates);
    }
    return updates;
  }

  /** The last questions with their answers, oldest first; `limit` is 1 to 100. */
  async history(limit) {
    return (await this.#api.questions(limit)).map(recordOf);
  }

  /** One question, or null if the server does not know it. */
  async question(id) {
    checkQuestionId(id);
    const stored = await this.#api.question(id);
    return stored && recordOf(stored);
  }

  /** Connects without waiting for the back-off, for example because the network is back. */
  retryNow() {
    if (!this.stopped) {
      this.#follower.connection.retryNow();
    }
  }

  /** Closes the connection. What is being answered goes on. */
  close() {
    if (!this.stopped) {
      this.#follower.connection.stop();
    }
  }

  #onState({ name, why: reason, code, close, message = STOPPED[reason] }) {
    if (!this.hello && name === 'reconnecting') {
      return;
    }
    if (name === 'stopped') {
      this.stopped = { reason, ...(code && { code }), ...(close && { close }), message };
    }
    if (name !== this.state) {
      this.state = name;
      this.#emit('state', name);
    }
    if (name === 'stopped') {
      const error = new StoppedError(this.stopped);
      this.#follower.abandonCancels(error);
      [...this.#answers.keys()].forEach(id => this.#fail(id, error));
      this.#readers.forEach(reader => this.#endReader(reader));
      this.#readers.clear();
    }
  }

  #answerTo(question) {
    const answer = this.#answers.get(question.id) ?? new Answer(question);
    this.#answers.set(question.id, answer);
    if (this.stopped) {
      this.#fail(question.id, new StoppedError(this.stopped));
    }
    return answer;
  }

  /** What others have asked can be open without its text being known. Only the server can say whether it is the same. */
  async #compare(id, text) {
    try {
      const stored = await this.#api.question(id);
      if ((stored?.question ?? text) !== text) {
        this.#fail(id, new RefusedError({ code: 'question_conflict', message: `The question ${id} is open with another text.`, retryable: false }));
      }
    } catch (error) {
      this.#fail(id, new UnreadableError(`The question ${id} is open, and its text could not be read to compare it: ${error.message}`));
    }
  }

  #endReader(reader) {
    reader.end(this.stopped.reason === 'closed' ? undefined : new StoppedError(this.stopped));
  }

  #onUpdate(question, update) {
    const { type } = update;
    if (type === 'changed') {
      return;
    }
    this.#readers.forEach(reader => reader.push(followed(question, update)));
    if (ERROR_OF[type]) {
      this.#fail(question.id, new ERROR_OF[type](update.message));
    } else {
      this.#answers.get(question.id)?.update(update);
    }
    if (!OPEN_UPDATES.has(type)) {
      this.#answers.delete(question.id);
      this.#follower.questions.bury(question);
    }
  }

  #fail(id, error) {
    this.#answers.get(id)?.fail(error);
    this.#answers.delete(id);
  }

  #emit(name, detail) {
    this.dispatchEvent(Object.assign(new Event(name), { detail }));
  }
}

const addressOf = (url, path, session) => {
  const base = new URL(url, globalThis.location?.href);
  base.protocol = base.protocol.replace('ws', 'http');
  const { search } = base;
  base.pathname = base.pathname.replace(/\/*$/, '/');
  base.search = '';
  const address = new URL(path.replace('{session}', encodeURIComponent(session)).replace(/^\//, ''), base);
  new URLSearchParams(search).forEach((value, name) => address.searchParams.append(name, value));
  return address;
};

const followed = ({ id, question }, { type, ...more }) => ({ type, id, ...(question !== undefined && { question }), ...more });

const recordOf = ({ question_id: id, question, state, text = '', asked_at: askedAt, ...end }) => ({
  id, question, text, askedAt, ...resultOf({ ...end, status: end.status ?? state }),
});
