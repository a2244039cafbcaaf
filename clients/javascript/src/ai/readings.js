// The updates of one question, as a stream of a chat reads them.

import { editedIdOf } from './ids.js';

/** Reads an answer from its beginning. */
export class Reading {
  answer;
  hasEnded = false;
  #updates;
  #owner;
  #isOver = false;

  /** @param owner has `over()`, called once, when nothing more is read, and `withdrawn(id)` */
  constructor(answer, owner) {
    this.#owner = owner;
    this.read(answer);
  }

  get id() {
    return this.answer.id;
  }

  read(answer) {
    this.answer = answer;
    this.#updates = answer[Symbol.asyncIterator]();
  }

  /** The updates until the end. */
  async next() {
    try {
      const result = await this.#updates.next();
      if (result.value?.type === 'ended') {
        this.hasEnded = true;
        this.#over();
      }
      return result;
    } catch (error) {
      if (this.recover(error)) {
        return this.next();
      }
      this.hasEnded = true;
      this.#over();
      throw error;
    }
  }

  async return() {
    this.#over();
    return this.#updates.return();
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** Returns true if another answer is read instead. */
  recover() {
    return false;
  }

  /** What was shown of it does not count any more. */
  withdraw() {
    this.#owner.withdrawn(this.id);
  }

  #over() {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#owner.over();
    }
  }
}

/** Asks a question, and reads its answer. A message that was edited has the id of another question, so it is asked under one of its own. */
export class Asking extends Reading {
  #ask;
  #editedId;

  /** @param ask asks under an id, and returns the answer */
  constructor(ask, id, text, owner) {
    const editedId = editedIdOf(id, text);
    super(askEither(ask, id, editedId), owner);
    this.#ask = ask;
    this.#editedId = editedId;
  }

  recover(error) {
    const isEdited = error.code === 'question_conflict' && this.id !== this.#editedId;
    if (isEdited) {
      this.read(this.#ask(this.#editedId));
    }
    return isEdited;
  }
}

const askEither = (ask, id, editedId) => {
  try {
    return ask(id);
  } catch (error) {
    // The question with this id is open, with another text.
    if (error instanceof TypeError) {
      return ask(editedId);
    }
    throw error;
  }
};

/** What the server has of a question that has ended. */
export const readingOf = ({ id, text, ...end }, owner) => new Reading({
  id,
  async *[Symbol.asyncIterator]() {
    yield { type: 'accepted', position: 0 };
    yield { type: 'text', text };
    yield { type: 'ended', text, ...end };
  },
}, owner);
