// Follows the log of a session: keeps the position in it, applies its events to the questions, and sends what the caller asks and cancels.
// docs/protocol.md, section 12. `Session` and `SessionClient` are its two faces.

import { jsonOf } from './api.js';
import { COMES_BACK } from './codes.js';
import { Connection } from './connection.js';
import { Position } from './position.js';
import { Questions } from './questions.js';

const MAX_REWINDS = 3;

/** The server has decided which question a cancel without an id was for, and its answer was lost. */
const UNKNOWN_CANCEL = {
  code: 'no_open_question', retryable: false, message: 'The connection was lost before the server answered, and no question was known to run then.',
};

export class Follower {
  /** The last `hello`: the responder's name, limits and features. */
  hello = null;

  #owner;
  #position = new Position();
  #life = null;          // the last known epoch, also while there is no position in it
  #rewinds = 0;          // in a row, to the same position
  #rewoundTo = null;
  #cancels = new Set();  // those that the server has not answered yet

  /**
   * @param owner has `state(state)`, `updated(question, update)`, `refused(question, error)`, `problem(error)` and `begun(missing, before, wasLive)`:
   *   the position is new, and nothing is known about the events before it. `missing` are accepted questions that are not open any more, and `before`
   *   those of an earlier life of the session, which the server may have forgotten. `wasLive`: this happened on a live link, so no state follows
   */
  constructor(environment, api, options, owner) {
    this.#owner = owner;
    this.questions = new Questions(environment, api, (question, update) => this.#updated(question, update));
    this.connection = new Connection(environment, api, this.#position, options, {
      frame: (link, frame) => this.#receive(link, frame),
      state: state => this.#owner.state(state),
    });
  }

  /** Asks now, or as soon as the connection is live. */
  ask(question) {
    const link = this.connection.link;
    if (!link?.isLive) {
      return;
    }
    const { id, question: text, ifBusy, options, metadata } = question;
    const message = { type: 'question', id, question: text, ...(ifBusy && { if_busy: ifBusy }), ...(options && { options }), ...(metadata && { metadata }) };
    const size = new TextEncoder().encode(jsonOf(message)).length;
    const limit = this.hello.limits?.message_bytes;
    if (size > limit) {
      // The server would close the connection for good.
      this.#refuse(question, {
        code: 'message_too_large', message: `The message of the question has ${size} bytes. The server takes ${limit}.`, retryable: false,
      });
    } else {
      link.send(message);
    }
  }

  /**
   * Cancels a question now, or as soon as the connection is back; without an id, the running one.
   * @returns a promise that is fulfilled when the server cancels it or it has ended, and rejected with the `error` frame that refuses the cancel
   */
  cancel(id) {
    return new Promise((resolve, reject) => {
      this.#cancels.add({ id, resolve, reject });
      this.#sendCancels();
    });
  }

  /** Rejects the cancels that wait. */
  abandonCancels(error) {
    this.#cancels.forEach(cancel => cancel.reject(error));
    this.#cancels.clear();
  }

  #sendCancels() {
    const link = this.connection.link;
    for (const cancel of this.#cancels) {
      // Which question runs is decided once, by this client or by the server: a cancel that is sent again must not meet the next one.
      if (!cancel.link) {
        cancel.id ??= this.questions.running?.id;
      } else if (cancel.id === undefined && link && link !== cancel.link) {
        this.#cancels.delete(cancel);
        cancel.reject(UNKNOWN_CANCEL);
        continue;
      }
      // What runs is known once the link is live. Then, a question that the server does not know yet has been sent, too.
      const canSend = link?.isLive || (link && cancel.id !== undefined && this.questions.get(cancel.id)?.accepted !== false);
      if (canSend && cancel.link !== link && link.send({ type: 'cancel', ...(cancel.id && { question_id: cancel.id }) })) {
        cancel.link = link;
      }
    }
  }

  /** The question is being cancelled, or has ended. A cancel that was sent without an id is about whichever question that is. */
  #cancelled(id) {
    for (const cancel of this.#cancels) {
      if (cancel.id === id || (cancel.id === undefined && cancel.link)) {
        this.#cancels.delete(cancel);
        cancel.resolve();
      }
    }
  }

  /** Returns false if the error does not refuse a cancel. */
  #refusesCancel(error) {
    const cancel = [...this.#cancels].find(({ id, link }) => link && id === error.question_id);
    cancel?.reject(error);
    return this.#cancels.delete(cancel);
  }

  /** True while something that was sent has no answer. */
  #waits(link) {
    return link.isReplaying || this.#cancels.size > 0 || this.questions.all.some(q => q.mine && !q.accepted && !q.done);
  }

  #updated(question, update) {
    if (question.done) {
      this.#cancelled(question.id);
    }
    this.#owner.updated(question, update);
  }

  // Frames.

  #receive(link, frame) {
    switch (frame.type) {
      case 'hello': return this.#onHello(link, frame);
      case 'resumed': return this.#onResumed(link, frame);
      case 'snapshot': return this.questions.snapshot(frame);
      case 'stored': return this.questions.stored(frame);
      case 'cancelling':
        this.#cancelled(frame.question_id);
        return this.questions.cancelling(frame);
      case 'error': return this.#onError(link, frame);
      case 'ping': return this.#onPing(link, frame);
    }
    // Unknown frame types with a `seq` also have a place in the log.
    if (Number.isInteger(frame.seq)) {
      this.#onEvent(link, frame);
    }
  }

  #onHello(link, frame) {
    this.hello = frame;
    link.isReplaying = frame.resuming === true;
    if (link.isReplaying) {
      this.#sendCancels();
    } else {
      this.#begin(link, frame.epoch, frame.seq, frame.open);
    }
  }

  #onResumed(link, frame) {
    link.isReplaying = false;
    if (frame.recovered) {
      this.#moveTo(frame.epoch, frame.to_seq);
      this.#settle(link, frame.open).forEach(question => this.questions.fetch(question));
    } else {
      this.#begin(link, frame.epoch, frame.to_seq, frame.open);
    }
  }

  #begin(link, epoch, seq, open) {
    const isNewLife = this.#life !== null && this.#life !== epoch;
    const before = isNewLife ? this.questions.all.filter(q => q.accepted) : [];
    this.#moveTo(epoch, seq);
    const wasLive = link.isLive;
    this.#owner.begun(this.#settle(link, open), before, wasLive);
  }

  #moveTo(epoch, seq) {
    this.#position.moveTo(epoch, seq);
    this.#life = epoch;
  }

  /**
   * Sends the questions that were never accepted. Returns the accepted questions that are neither open nor finished: they ended while
   * this client was away, or the server has lost them.
   */
  #settle(link, open = []) {
    open.forEach((item, place) => this.questions.isOpen(item.question_id, place));
    const openIds = new Set(open.map(item => item.question_id));
    const wasLive = link.isLive;
    link.isLive = true;
    const missing = [];
    for (const question of this.questions.all.filter(q => !q.done && !openIds.has(q.id))) {
      question.cancelling = false;
      if (question.mine && !question.accepted) {
        this.ask(question);
      } else {
        missing.push(question);
      }
    }
    this.#sendCancels();
    if (!wasLive) {
      // Whoever hears it knows what is open, and asks after those who have waited.
      this.#owner.state({ name: 'live' });
    }
    return missing;
  }

  #onPing(link, frame) {
    link.send({ type: 'pong', seq: frame.seq });
    if (frame.seq > this.#position.last && link.isLive && !link.isReplaying) {
      this.#rewind(link);
    }
  }

  #onEvent(link, frame) {
    if (frame.type === 'done') {
      this.#cancelled(frame.question_id);
    }
    const verdict = this.#position.judge(frame, link.isReplaying);
    if (verdict === 'rewind') {
      this.#rewind(link);
    }
    if (verdict !== 'apply') {
      return;
    }
    switch (frame.type) {
      case 'accepted': return this.questions.accepted(frame);
      case 'delta': return this.questions.delta(frame);
      case 'done': return this.questions.done(frame);
    }
  }

  /** Requests every event after the last one. A link that cannot deliver them is replaced by a new one without a position. */
  #rewind(link) {
    const { epoch, last } = this.#position;
    this.#rewinds = this.#rewoundTo === last ? this.#rewinds + 1 : 1;
    this.#rewoundTo = last;
    if (this.#rewinds > MAX_REWINDS) {
      this.#rewinds = 0;
      this.#position.moveTo(null, 0);
      link.abandon();
      return;
    }
    link.isReplaying = true;
    link.send({ type: 'resume', epoch, after_seq: last });
  }

  #onError(link, frame) {
    if (frame.code === 'rate_limited' && frame.question_id === undefined && this.#waits(link)) {
      // The server has read nothing of a message, so it is not known which one must be sent again. The next link sends what is missing.
      return link.abandon();
    }
    const question = this.questions.get(frame.question_id);
    const isAboutAsking = question?.mine && !question.accepted && !question.done && frame.code !== 'question_not_found';
    if (!isAboutAsking) {
      if (frame.param === 'token' || !this.#refusesCancel(frame)) {
        this.#owner.problem(frame);
      }
    } else if (!COMES_BACK.has(frame.code)) {
      this.#refuse(question, frame);
    }
  }

  #refuse(question, error) {
    this.questions.remove(question);
    this.#owner.refused(question, error);
  }
}
