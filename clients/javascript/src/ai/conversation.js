// One chat: its session, what is read of it, and what is being stopped.

import { StoppedError } from '../errors.js';
import { connect } from '../session.js';
import { Asking, Reading, readingOf } from './readings.js';

export class Conversation {
  #session;
  #freed;
  #onProblem;
  #busy = 0;
  #stopping = null;      // settled once what was stopped has ended
  #resumed = 0;          // how often a stream was resumed
  #withdrawn = null;     // the question of which a stream could not show the text any more

  /** @param freed is called when nothing is in use any more */
  constructor(url, id, { onProblem = console.warn, ifBusy, ...options }, freed) {
    this.#session = connect(url, id, options);
    this.#session.addEventListener('problem', ({ detail }) => onProblem(detail));
    this.#onProblem = onProblem;
    this.#freed = freed;
  }

  get hasStopped() {
    return this.#session.stopped !== null;
  }

  get isBusy() {
    return this.#busy > 0;
  }

  close() {
    this.#session.close();
  }

  history(limit) {
    return this.#use(() => this.#session.history(limit));
  }

  /** Asks once the question that was stopped before has ended, because until then the session is busy. */
  ask(id, text, options, signal) {
    return this.#use(async () => {
      await unlessAborted(this.#stopping, signal);
      const asking = this.#read(owner => new Asking(questionId => this.#session.ask(text, { ...options, id: questionId }), id, text, owner));
      signal?.addEventListener('abort', () => this.#stop(asking), { once: true });
      return asking;
    });
  }

  /** Reads the running question from its beginning, or the one whose stream could not go on. Returns null if there is none. */
  resume(signal) {
    const turn = ++this.#resumed;
    return this.#use(async () => {
      await unlessAborted(this.#live(), signal);
      const reading = await this.#open();
      signal?.addEventListener('abort', async () => {
        // A chat that resumes twice aborts the first stream, and resumes again in the same step. That stops nothing.
        await null;
        if (reading && turn === this.#resumed) {
          this.#stop(reading);
        }
      }, { once: true });
      return reading;
    });
  }

  async #open() {
    const withdrawn = this.#withdrawn;
    this.#withdrawn = null;
    const answer = withdrawn === null ? this.#session.answer() : this.#session.answer(withdrawn);
    if (answer !== null) {
      return this.#read(owner => new Reading(answer, owner));
    }
    const record = withdrawn && await this.#session.question(withdrawn);
    return record && this.#read(owner => readingOf(record, owner));
  }

  #read(begin) {
    const reading = begin({
      over: () => this.#free(),
      withdrawn: id => { this.#withdrawn = id; },
    });
    this.#busy++;
    return reading;
  }

  #stop(reading) {
    if (!reading.hasEnded) {
      this.#stopping = this.#use(() => this.#cancel(reading.answer)).catch(this.#onProblem);
    }
  }

  async #cancel({ id, whole }) {
    try {
      await this.#session.cancel(id);
    } catch (error) {
      return this.#onProblem(error);
    }
    // What was read from the history has no whole: it has ended.
    await whole?.catch(() => {});
  }

  #live() {
    const session = this.#session;
    return new Promise((resolve, reject) => {
      const look = () => {
        if (session.state !== 'live' && !session.stopped) {
          return;
        }
        session.removeEventListener('state', look);
        if (session.stopped) {
          reject(new StoppedError(session.stopped));
        } else {
          resolve();
        }
      };
      session.addEventListener('state', look);
      look();
    });
  }

  async #use(work) {
    this.#busy++;
    try {
      return await work();
    } finally {
      this.#free();
    }
  }

  #free() {
    this.#busy--;
    this.#freed();
  }
}

const unlessAborted = async (work, signal) => {
  signal?.throwIfAborted();
  let abort;
  const aborted = new Promise((_, reject) => {
    abort = () => reject(signal.reason);
    signal?.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
};
