// The questions of a session that a client knows: their text so far, the check that it is complete, and the HTTP look-ups for missing parts.

import { backOff } from './retry.js';

const FINAL = new Set(['completed', 'cancelled', 'failed', 'timeout', 'incomplete']);
const MAX_BURIED = 100;
const FETCH_ATTEMPTS = 4;
const FETCH_BOUNDS = { min: 250, max: 5_000 };
const UNREADABLE = { status: 'failed', reason: 'unreadable', message: 'The answer could not be read from the server. Read it later.', retryable: true };
const LOST = { status: 'lost', reason: 'lost', message: 'The server no longer knows this question. It can be asked again.', retryable: true };
const UPDATE_OF = new Map([[UNREADABLE, 'unreadable'], [LOST, 'lost']]);

/** How a question ended: `end` is a `done` frame, a final snapshot or a stored question, and HTTP omits what is null. */
export const resultOf = ({
  status, reason = null, message = null, retryable = false, retry_after_ms: retryAfterMs = null, first_ms: firstMs = null, total_ms: totalMs = null,
}) => ({ status, reason, message, retryable, retryAfterMs, firstMs, totalMs });

/**
 * `status`: sending (not accepted yet), queued, accepted or answering; then its final status, or `lost` if the server accepted the question
 * and no longer knows it. `lost` needs a decision: ask again or drop. `forgotten` marks an ended question that the server and the model
 * no longer have.
 */
const blank = () => ({
  text: '', next: 0, status: 'accepted', accepted: false, done: false, cancelling: false, position: 0, turn: 0, lost: false, forgotten: false, end: null,
});

export class Questions {
  #environment;
  #api;
  #updated;
  #byId = new Map();
  #parts = new Map();
  #fetching = new Map();   // whether to look again
  #buried = [];
  #turns = 0;            // how many questions were accepted; the server answers them in this order

  /**
   * @param updated is called with a question that has changed, and how: `accepted`, `text` (a piece to append), `restarted` (the text so far is
   *   withdrawn), `ended`, `lost`, `unreadable`, or `changed` for what only a page shows
   */
  constructor(environment, api, updated) {
    this.#environment = environment;
    this.#api = api;
    this.#updated = updated;
  }

  /** All questions, in the order in which they were asked. */
  get all() {
    return [...this.#byId.values()];
  }

  /** What the server has accepted and not ended, in the order in which it answers. */
  get open() {
    return this.all.filter(q => q.accepted && !q.done).sort((a, b) => a.turn - b.turn);
  }

  /** The question that is being answered as far as the client knows, or the next one that it asks. */
  get running() {
    return this.open[0] ?? this.all.find(q => !q.done);
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

  /** Adds a question of this client. It keeps the text that it has if it is open: then another client has asked it with this id. */
  add(id, asked) {
    const question = this.obtain(id);
    return Object.assign(question, question.done && blank(), { mine: true, accepted: false, status: 'sending' }, asked);
  }

  /** Starts a question that has ended again, as the newest one. */
  renew(question) {
    this.#byId.delete(question.id);
    this.#byId.set(question.id, Object.assign(question, blank(), { status: 'sending' }));
    this.#change(question);
  }

  remove(question) {
    this.#byId.delete(question.id);
  }

  /** Forgets the text of an ended question. Its id is kept for a while, because its end can be sent again. */
  bury(question) {
    question.text = '';
    this.#buried.push(question);
    if (this.#buried.length > MAX_BURIED) {
      const oldest = this.#buried.shift();
      if (oldest.done && this.get(oldest.id) === oldest) {
        this.remove(oldest);
      }
    }
  }

  /** Puts the ids into this order. */
  sort(ids) {
    this.#byId = new Map(ids.map(id => [id, this.#byId.get(id)]));
  }

  // Frames.

  /** Marks a question that `hello` or `resumed` lists as open, in this place. */
  isOpen(id, place) {
    const question = this.obtain(id);
    if (question.accepted && !question.lost) {
      question.turn = ++this.#turns;
    } else {
      this.accepted({ question_id: id, position: place });
    }
  }

  accepted(frame) {
    const question = this.#obtainOpen(frame.question_id);
    question.position = frame.position ?? 0;
    question.question ??= frame.question;
    if (!question.done && question.next === 0) {
      question.status = question.position > 0 ? 'queued' : 'accepted';
    }
    this.#accept(question);
  }

  delta(frame) {
    const question = this.obtain(frame.question_id);
    const next = frame.index + (frame.count ?? 1);
    if (question.done || next <= question.next) {
      return;
    }
    if (frame.index !== question.next) {
      this.fetch(question);
      return;
    }
    this.#setText(question, question.text + frame.text, next, 'answering', frame.text);
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
    this.#merge(question, { ...frame, text: parts.join('') });
  }

  cancelling(frame) {
    const question = this.get(frame.question_id);
    if (question) {
      question.cancelling = !question.done;
      this.#change(question);
    }
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

  /** Takes a question over from HTTP: how it was accepted, or all of it. */
  stored(item) {
    const question = this.obtain(item.question_id);
    question.position = item.position ?? question.position;
    if (!question.accepted) {
      this.#accept(question);
    }
    this.#merge(question, item);
  }

  /** Returns the question. If it was lost, someone has asked it again, so it starts again. */
  #obtainOpen(id) {
    const question = this.obtain(id);
    if (question.lost) {
      this.renew(question);
    }
    return question;
  }

  // What has changed.

  #change(question, type = 'changed', more) {
    this.#updated(question, { type, ...more });
  }

  #accept(question) {
    const isNew = !question.accepted;
    question.accepted = true;
    if (isNew) {
      question.turn = ++this.#turns;
    }
    this.#change(question, isNew ? 'accepted' : 'changed', { position: question.position });
  }

  /** Sets the text. Unless it is known to end with a new `piece`, it can begin otherwise than before: text that was not saved is withdrawn. */
  #setText(question, text, next, status, piece) {
    if (!question.accepted) {
      this.#accept(question);
    }
    const before = question.text;
    Object.assign(question, { text, next, status, ...(next > 0 && { position: 0 }) });
    if (piece === undefined) {
      const goesOn = text.startsWith(before);
      if (!goesOn) {
        this.#change(question, 'restarted');
      }
      piece = goesOn ? text.slice(before.length) : text;
    }
    if (piece !== '') {
      this.#change(question, 'text', { text: piece });
    }
  }

  // HTTP: what the socket does not deliver any more.

  /** Looks up a question, and finishes it if it has ended or the server has lost it. */
  async fetch(question) {
    const isRunning = this.#fetching.has(question);
    this.#fetching.set(question, isRunning);
    if (isRunning) {
      return;
    }
    for (let attempt = 0; !question.done; attempt++) {
      const advised = await this.#fetchOnce(question);
      if (advised === null) {
        if (!this.#fetching.get(question)) {
          break;
        }
        // It was asked for again meanwhile, so what came can be older than what the session knew when it came back.
        this.#fetching.set(question, false);
        continue;
      }
      if (attempt + 1 >= FETCH_ATTEMPTS) {
        this.#finish(question, UNREADABLE);
        break;
      }
      await new Promise(resolve => {
        this.#environment.setTimeout(resolve, backOff(attempt, FETCH_BOUNDS, advised, this.#environment.random));
      });
    }
    this.#fetching.delete(question);
  }

  /** Returns null, or how long to wait at least before the fetch is tried again. */
  async #fetchOnce(question) {
    try {
      const stored = await this.#api.question(question.id);
      if (stored === null) {
        this.#finish(question, question.end ? UNREADABLE : LOST);
      } else {
        this.#merge(question, stored);
      }
      // The `done` frame can arrive before the end can be read over HTTP.
      return question.end === null || question.done ? null : FETCH_BOUNDS.min;
    } catch (error) {
      return Math.max(FETCH_BOUNDS.min, error.retryAfterMs ?? 0);
    }
  }

  /** Takes a snapshot, or what is stored. A snapshot replaces the text, and what is stored can be older than the text. */
  #merge(question, stored) {
    const { text = '', deltas = question.next, status = stored.state } = stored;
    question.question ??= stored.question;
    if (question.done) {
      return;
    }
    if (FINAL.has(status)) {
      this.#finish(question, { ...stored, status, text, deltas });
    } else if (stored.type === 'snapshot' || deltas > question.next) {
      this.#setText(question, text, deltas, status);
      this.#change(question);
    }
  }

  #finish(question, end) {
    if (question.done) {
      return;
    }
    const { text = question.text, deltas: next = question.next } = end;
    const type = UPDATE_OF.get(end) ?? 'ended';
    if (type === 'ended') {
      this.#setText(question, text, next, end.status);
    }
    const result = resultOf(end);
    Object.assign(question, result, { done: true, accepted: true, cancelling: false, position: 0, lost: end === LOST });
    this.#change(question, type, { ...result, text });
  }
}
