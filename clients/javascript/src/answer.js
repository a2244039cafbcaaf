// The answer to one question: an async sequence of updates, and the whole answer as a promise.

import { Updates } from './updates.js';

export class Answer {
  /** The whole answer, once the question has ended; rejected if there is none. It need not be awaited: then its rejection is not reported. */
  whole;

  #question;
  #readers = new Set();
  #end = null;      // the last update, once the question has ended
  #error = null;
  #resolve;
  #reject;

  constructor(question) {
    this.#question = question;
    this.whole = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.whole.catch(() => {});
  }

  get id() {
    return this.#question.id;
  }

  update(update) {
    this.#readers.forEach(reader => reader.push(update));
    if (update.type === 'ended') {
      const { type, ...whole } = update;
      this.#end = update;
      this.#readers.forEach(reader => reader.end());
      this.#resolve(whole);
    }
  }

  fail(error) {
    this.#error = error;
    this.#readers.forEach(reader => reader.end(error));
    this.#reject(error);
  }

  /** Each reader begins with the state so far. Leaving early does not cancel the question. */
  [Symbol.asyncIterator]() {
    const updates = new Updates(reader => this.#readers.delete(reader));
    const { accepted, position } = this.#question;
    const text = this.#end?.text ?? this.#question.text;
    if (accepted) {
      updates.push({ type: 'accepted', position });
    }
    if (text) {
      updates.push({ type: 'text', text });
    }
    if (this.#end) {
      updates.push(this.#end);
    }
    if (this.#end ?? this.#error) {
      updates.end(this.#error);
    } else {
      this.#readers.add(updates);
    }
    return updates;
  }
}
