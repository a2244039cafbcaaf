// An async sequence of updates. What its reader has not read yet is joined, so that a slow reader costs no more memory than the text.

import { SessionError } from './errors.js';

/** A session has few updates that cannot be joined: a question, and its end. A reader with so many of them does not read at all. */
const MAX_WAITING = 1_000;

export class Updates {
  #waiting = [];
  #end = null;     // null, or how the sequence ends: `{}`, or with an `error`
  #wake = [];
  #left;

  /** @param left is called when the reader leaves */
  constructor(left) {
    this.#left = () => left(this);
  }

  push(update) {
    const last = this.#waiting.at(-1);
    const follows = last?.type === 'text' && last.id === update.id;
    if (follows && update.type === 'text') {
      this.#waiting.splice(-1, 1, { ...last, text: last.text + update.text });
    } else {
      if (follows && update.type === 'restarted') {
        this.#waiting.pop();
      }
      this.#waiting.push(update);
    }
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting = [];
      this.#left();
      this.end(new SessionError('reader_too_slow', 'Too many updates wait. Follow again, and read the history.'));
    }
    this.#signal();
  }

  /** The sequence is over once what waits has been read. */
  end(error) {
    this.#end ??= { error };
    this.#signal();
  }

  async next() {
    while (this.#waiting.length === 0) {
      if (this.#end) {
        const { error } = this.#end;
        this.#end = {};
        if (error) {
          throw error;
        }
        return { done: true, value: undefined };
      }
      await new Promise(resolve => this.#wake.push(resolve));
    }
    return { done: false, value: this.#waiting.shift() };
  }

  async return(value) {
    this.#left();
    this.#waiting = [];
    this.#end = {};
    this.#signal();
    return { done: true, value };
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  #signal() {
    this.#wake.splice(0).forEach(resolve => resolve());
  }
}
