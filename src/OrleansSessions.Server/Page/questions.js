// The questions of a session that a client knows: their text so far, the check that it is complete, and the HTTP look-ups for missing parts.

import { Pending } from './pending.js';
import { backOff } from './retry.js';

const FINAL = new Set(['completed', 'cancelled', 'failed', 'timeout', 'incomplete']);
const FETCH_ATTEMPTS = 4;
const FETCH_BOUNDS = { min: 250, max: 5_000 };
const UNREADABLE = { status: 'failed', reason: 'unreadable', message: 'The answer could not be read from the server.', retryable: true };
const LOST = { status: 'lost', reason: 'lost', message: 'The server no longer knows this question.', retryable: true };

export const isFinal = status => FINAL.has(status);

/**
 * `status`: sending (not accepted yet), queued, accepted or answering; then its final status, or `lost` if the server accepted the question
 * and no longer knows it. `lost` needs a decision: ask again or drop. `forgotten` marks an ended question that the server and the model
 * no longer have.
 */
const blank = () => ({
  text: '', next: 0, status: 'accepted', accepted: false, done: false, cancelling: false, position: 0, lost: false, forgotten: false, end: null,
});

export class Questions {
  #environment;
  #api;
  #changed;
  #pending;
  #byId = new Map();
  #parts = new Map();
  #fetching = new Set();

  constructor(session, environment, api, changed) {
    this.#environment = environment;
    this.#api = api;
    this.#changed = changed;
    this.#pending = new Pending(environment.storage, session);
    for (const { id, question, ifBusy, options, accepted = false } of this.#pending.load()) {
      Object.assign(this.obtain(id), { mine: true, question, ifBusy, options, accepted, status: accepted ? 'accepted' : 'sending' });
    }
  }

  /** All questions, in the order in which they were asked. */
  get all() {
    return [...this.#byId.values()];
  }

  get(id) {
    return this.#byId.get(id);
  }

  obtain(id) {
    if (!this.#byId.has(id)) {
      this.#byId.set(id, { id, question: undefined, mine: false, ...blank() });
    }
    return this.#byId.get(id);
  }

  addMine(id, text, ifBusy, options) {
    const question = Object.assign(this.obtain(id), { mine: true, question: text, ifBusy, options, status: 'sending' });
    this.#save();
    this.#changed(question);
    return question;
  }

  /** Starts a lost question again, as the newest one. */
  renew(question) {
    this.#byId.delete(question.id);
    this.#byId.set(question.id, Object.assign(question, blank(), { status: 'sending' }));
    this.#save();
    this.#changed(question);
  }

  remove(question) {
    this.#byId.delete(question.id);
    this.#save();
  }

  // Frames.

  /** Marks a question that `hello` or `resumed` lists as open. */
  isOpen(question) {
    question.accepted = true;
    this.#save();
  }

  accepted(frame) {
    const question = this.#obtainOpen(frame.question_id);
    question.accepted = true;
    question.position = frame.position ?? 0;
    question.question ??= frame.question;
    if (!question.done && question.next === 0) {
      question.status = question.position > 0 ? 'queued' : 'accepted';
    }
    this.#save();
    this.#changed(question);
  }

  delta(frame) {
    const question = this.obtain(frame.question_id);
    const count = frame.count ?? 1;
    if (question.done || frame.index + count <= question.next) {
      return;
    }
    if (frame.index !== question.next) {
      this.fetch(question);
      return;
    }
    Object.assign(question, { accepted: true, status: 'answering', position: 0, text: question.text + frame.text, next: question.next + count });
    this.#changed(question);
  }

  snapshot(frame) {
    const question = this.#obtainOpen(frame.question_id);
    const parts = frame.part === 1 ? [] : this.#parts.get(question.id) ?? [];
    parts.push(frame.text);
    this.#parts.set(question.id, parts);
    if (frame.part < frame.parts) {
      return;
    }
    this.#parts.delete(question.id);
    question.question ??= frame.question;
    if (question.done) {
      return;
    }
    Object.assign(question, { accepted: true, text: parts.join(''), next: frame.deltas });
    if (isFinal(frame.status)) {
      this.done(frame);
    } else {
      question.status = frame.status;
      this.#save();
      this.#changed(question);
    }
  }

  cancelling(frame) {
    const question = this.obtain(frame.question_id);
    question.cancelling = !question.done;
    this.#changed(question);
  }

  /** The counts show whether the text is complete. If they do not match, the stored text is fetched. */
  done(frame) {
    const question = this.obtain(frame.question_id);
    if (question.done) {
      return;
    }
    if (question.next === frame.deltas && new TextEncoder().encode(question.text).length === frame.bytes) {
      this.#finish(question, frame);
    } else {
      question.end = frame;
      this.fetch(question);
    }
  }

  /** Returns the question. If it was lost, someone has asked it again, so it starts again. */
  #obtainOpen(id) {
    const question = this.obtain(id);
    if (question.lost) {
      this.renew(question);
    }
    return question;
  }

  // HTTP: what the socket does not deliver any more.

  /** Looks up a question, and finishes it if it has ended or the server has lost it. */
  async fetch(question) {
    if (this.#fetching.has(question)) {
      return;
    }
    this.#fetching.add(question);
    for (let attempt = 0; !question.done && !await this.#fetchOnce(question); attempt++) {
      if (attempt + 1 === FETCH_ATTEMPTS) {
        this.#finish(question, question.end ?? UNREADABLE);
        break;
      }
      await new Promise(resolve => {
        this.#environment.setTimeout(resolve, backOff(attempt, FETCH_BOUNDS, FETCH_BOUNDS.min, this.#environment.random));
      });
    }
    this.#fetching.delete(question);
  }

  /** Returns false if the fetch must be retried. */
  async #fetchOnce(question) {
    try {
      const stored = await this.#api.question(question.id);
      if (stored === null) {
        this.#finish(question, question.end ?? LOST);
      } else {
        this.#merge(question, stored);
      }
      // The `done` frame can arrive before the end can be read over HTTP.
      return question.end === null || question.done;
    } catch {
      return false;
    }
  }

  /**
   * Loads earlier questions for a page that has just been opened. Call it after `hello`, so that later events arrive over the socket.
   * @returns the ids that the server has, at most the last 50
   */
  async loadHistory() {
    const stored = await this.#api.questions();
    const ids = stored.map(item => item.question_id);
    this.#insert(ids);
    stored.forEach(item => this.#merge(this.obtain(item.question_id), item));
    return new Set(ids);
  }

  /** Marks ended questions that the server no longer knows. */
  forget(questions) {
    for (const question of questions) {
      question.forgotten = true;
      this.#changed(question);
    }
  }

  /** Inserts unknown ids before the next known id or, if there is none, before the open questions. */
  #insert(ids) {
    const order = [...this.#byId.keys()];
    const open = order.findIndex(id => !this.#byId.get(id).done);
    let at = open < 0 ? order.length : open;
    for (const id of [...ids].reverse()) {
      const known = order.indexOf(id);
      if (known >= 0) {
        at = known;
      } else {
        this.obtain(id);
        order.splice(at, 0, id);
      }
    }
    this.#byId = new Map(order.map(id => [id, this.#byId.get(id)]));
  }

  #merge(question, stored) {
    if (question.done) {
      return;
    }
    const status = stored.status ?? stored.state;
    question.question ??= stored.question;
    if (isFinal(status)) {
      question.text = stored.text ?? '';
      question.next = stored.deltas ?? question.next;
      this.#finish(question, { ...stored, status });
    } else if ((stored.deltas ?? 0) > question.next) {
      Object.assign(question, { accepted: true, text: stored.text, next: stored.deltas, status });
      this.#changed(question);
    }
  }

  #finish(question, end) {
    if (question.done) {
      return;
    }
    const {
      status, reason = null, message = null, retryable = false, retry_after_ms: retryAfterMs = null, first_ms: firstMs = null, total_ms: totalMs = null,
    } = end;
    Object.assign(question, {
      status, reason, message, retryable, retryAfterMs, firstMs, totalMs, done: true, accepted: true, cancelling: false, position: 0, lost: end === LOST,
    });
    this.#save();
    this.#changed(question);
  }

  #save() {
    this.#pending.save(this.all);
  }
}
