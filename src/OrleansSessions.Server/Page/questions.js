// What a client knows of a session's questions: their text so far, the proof that it is whole, and what only HTTP still has.

import { backOff } from './link.js';

const FINAL = new Set(['completed', 'cancelled', 'failed', 'timeout', 'incomplete']);
const FETCH_ATTEMPTS = 4;
const FETCH_BOUNDS = { min: 250, max: 5_000 };

export const isFinal = status => FINAL.has(status);

const blank = id => ({
  id, question: undefined, text: '', next: 0, status: 'accepted', mine: false, accepted: false, done: false, cancelling: false, position: 0,
});

export class Questions {
  #session;
  #environment;
  #changed;
  #storageKey;
  #byId = new Map();
  #parts = new Map();

  constructor(session, environment, changed) {
    this.#session = session;
    this.#environment = environment;
    this.#changed = changed;
    this.#storageKey = `sessions.pending.${session}`;
    this.#restore();
  }

  /** In the order they were asked. */
  get all() {
    return [...this.#byId.values()];
  }

  get(id) {
    return this.#byId.get(id);
  }

  obtain(id) {
    if (!this.#byId.has(id)) {
      this.#byId.set(id, blank(id));
    }
    return this.#byId.get(id);
  }

  addMine(id, text, ifBusy) {
    const question = Object.assign(this.obtain(id), { mine: true, question: text, ifBusy });
    this.#store();
    this.#changed(question);
    return question;
  }

  remove(question) {
    this.#byId.delete(question.id);
    this.#store();
  }

  // Frames.

  accepted(frame) {
    const question = this.obtain(frame.question_id);
    question.accepted = true;
    question.position = frame.position ?? 0;
    question.question ??= frame.question;
    this.#changed(question);
  }

  delta(frame) {
    const question = this.obtain(frame.question_id);
    if (question.done || frame.index < question.next) {
      return;
    }
    if (frame.index > question.next) {
      this.fetch(question);
      return;
    }
    question.accepted = true;
    question.status = 'answering';
    question.position = 0;
    question.text += frame.text;
    question.next += frame.count ?? 1;
    this.#changed(question);
  }

  snapshot(frame) {
    const question = this.obtain(frame.question_id);
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
      this.#changed(question);
    }
  }

  cancelling(frame) {
    const question = this.obtain(frame.question_id);
    question.cancelling = !question.done;
    this.#changed(question);
  }

  /** The counts prove that the text is whole; where they do not, the stored text is fetched. */
  done(frame) {
    const question = this.obtain(frame.question_id);
    if (question.done) {
      return;
    }
    if (question.next === frame.deltas && new TextEncoder().encode(question.text).length === frame.bytes) {
      this.#finish(question, frame);
    } else {
      this.fetch(question, frame);
    }
  }

  // HTTP: what the socket no longer has.

  /** Looks a question up; `end` is what its `done` said, for the case that the server has forgotten it meanwhile. */
  fetch(question, end = null) {
    question.end = end ?? question.end;
    if (!question.fetching) {
      question.fetching = true;
      this.#fetch(question, 0);
    }
  }

  async #fetch(question, attempt) {
    try {
      this.#merge(question, await this.#fetchJson(`/${encodeURIComponent(question.id)}`));
      if (question.end && !question.done) {
        throw new Error('Its end has been told, but is not stored yet.');
      }
      question.fetching = false;
    } catch (fault) {
      if (fault.status !== 404 && attempt + 1 < FETCH_ATTEMPTS) {
        const wait = backOff(attempt, FETCH_BOUNDS, FETCH_BOUNDS.min, this.#environment.random);
        this.#environment.setTimeout(() => this.#fetch(question, attempt + 1), wait);
        return;
      }
      question.fetching = false;
      this.#finish(question, question.end ?? { status: 'failed', reason: 'lost', message: 'The server no longer knows this question.' });
    }
  }

  /**
   * Earlier questions, for a page that has just been opened. To be called after `hello`, so that whatever ends later comes by the socket.
   * Returns false where the server could not tell.
   */
  async loadHistory() {
    let stored;
    try {
      stored = await this.#fetchJson('?limit=50');
    } catch (fault) {
      return fault.status === 404;
    }
    const items = Array.isArray(stored) ? stored : stored.questions;
    this.#insert(items.map(item => item.question_id));
    items.forEach(item => this.#merge(this.obtain(item.question_id), item));
    return true;
  }

  async #fetchJson(path) {
    const url = new URL(`/v1/sessions/${encodeURIComponent(this.#session)}/questions${path}`, this.#environment.base);
    const answer = await this.#environment.fetch(url.href);
    if (!answer.ok) {
      throw Object.assign(new Error(`HTTP ${answer.status}`), { status: answer.status });
    }
    return answer.json();
  }

  /** Puts unknown ids where they belong: before the next one that is known, or else before what is still open. */
  #insert(ids) {
    const order = [...this.#byId.keys()];
    const open = order.findIndex(id => !this.#byId.get(id).done);
    let at = open < 0 ? order.length : open;
    for (const id of [...ids].reverse()) {
      const known = order.indexOf(id);
      if (known >= 0) {
        at = known;
      } else {
        order.splice(at, 0, id);
      }
    }
    this.#byId = new Map(order.map(id => [id, this.#byId.get(id) ?? blank(id)]));
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
    const { status, reason = null, message = null, retryable = false, first_ms: firstMs = null, total_ms: totalMs = null } = end;
    Object.assign(question, { status, reason, message, retryable, firstMs, totalMs, done: true, accepted: true, cancelling: false, position: 0 });
    this.#store();
    this.#changed(question);
  }

  // What survives a reload: my questions that have not ended, to be asked again under the same id.

  #store() {
    const pending = this.all.filter(q => q.mine && !q.done).map(({ id, question, ifBusy }) => ({ id, question, ifBusy }));
    try {
      if (pending.length > 0) {
        this.#environment.storage?.setItem(this.#storageKey, JSON.stringify(pending));
      } else {
        this.#environment.storage?.removeItem(this.#storageKey);
      }
    } catch {
      // Storage may be full or forbidden; then a reload forgets what was not accepted yet, and nothing else.
    }
  }

  #restore() {
    try {
      for (const { id, question, ifBusy } of JSON.parse(this.#environment.storage?.getItem(this.#storageKey) ?? '[]')) {
        Object.assign(this.obtain(id), { mine: true, question, ifBusy });
      }
    } catch {
      // What cannot be read was not written by this class.
    }
  }
}
