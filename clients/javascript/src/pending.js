// Keeps this tab's unanswered questions across a reload, and whether the server has accepted them.

export class Pending {
  #storage;
  #key;

  constructor(storage, session) {
    this.#storage = storage;
    this.#key = `sessions.pending.${session}`;
  }

  save(questions) {
    const pending = questions.filter(q => q.mine && (!q.done || q.lost))
      .map(({ id, question, ifBusy, options, accepted }) => ({ id, question, ifBusy, options, accepted }));
    try {
      if (pending.length > 0) {
        this.#storage?.setItem(this.#key, JSON.stringify(pending));
      } else {
        this.#storage?.removeItem(this.#key);
      }
    } catch {
      // The storage can be full or forbidden. Then a reload loses only the questions that were not accepted yet.
    }
  }

  load() {
    try {
      return JSON.parse(this.#storage?.getItem(this.#key) ?? '[]');
    } catch {
      // A value that cannot be read was not written by this class.
      return [];
    }
  }
}
