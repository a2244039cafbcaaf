// What survives a reload: this tab's own questions that have no answer yet, with whether the server has accepted them.

export class Pending {
  #storage;
  #key;

  constructor(storage, session) {
    this.#storage = storage;
    this.#key = `sessions.pending.${session}`;
  }

  save(questions) {
    const pending = questions.filter(q => q.mine && (!q.done || q.lost)).map(({ id, question, ifBusy, accepted }) => ({ id, question, ifBusy, accepted }));
    try {
      if (pending.length > 0) {
        this.#storage?.setItem(this.#key, JSON.stringify(pending));
      } else {
        this.#storage?.removeItem(this.#key);
      }
    } catch {
      // Storage may be full or forbidden; then a reload forgets what was not accepted yet, and nothing else.
    }
  }

  load() {
    try {
      return JSON.parse(this.#storage?.getItem(this.#key) ?? '[]');
    } catch {
      // What cannot be read was not written by this class.
      return [];
    }
  }
}
