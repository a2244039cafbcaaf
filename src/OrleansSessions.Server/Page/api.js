// Where a session is found, and what HTTP says about it.

/** Statuses of a request that is refused whatever it says: the next attempt is refused, too. */
const REFUSALS = new Set([401, 403]);

export class Api {
  #environment;
  #socket;
  #session;
  #credentials;

  /** The paths hold `{session}`. They are resolved against `base`, so they may be absolute or relative. */
  constructor(session, environment, { base, socketPath, apiPath, credentials }) {
    const resolve = path => new URL(path.replace('{session}', encodeURIComponent(session)), base);
    this.#environment = environment;
    this.#credentials = credentials;
    this.#socket = resolve(socketPath);
    this.#session = resolve(apiPath);
  }

  /** The address of the socket; with a position, that of one that goes on from there. */
  socketUrl({ epoch, last }) {
    const url = new URL(this.#socket);
    url.protocol = url.protocol.replace('http', 'ws');
    if (epoch !== null) {
      url.searchParams.set('epoch', epoch);
      url.searchParams.set('after', String(last));
    }
    return url.href;
  }

  /** One question as the server has it; null where it has none of that id. */
  question(id) {
    return this.#read(`/questions/${encodeURIComponent(id)}`, {});
  }

  /** The last questions, oldest first; empty for a session that the server does not know. */
  async questions() {
    const stored = await this.#read('/questions', { limit: '50' });
    return stored?.questions ?? [];
  }

  /**
   * Why sockets are refused, or null where HTTP does not refuse either. A browser hides the answer to an upgrade that failed.
   * This is a POST, because a browser names the page's origin with it, as it does with a socket; without a question it changes nothing.
   */
  async refusal() {
    try {
      const answer = await this.#environment.fetch(this.#url('/questions', {}), {
        method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' }, credentials: this.#credentials,
      });
      if (!REFUSALS.has(answer.status)) {
        return null;
      }
      const problem = await answer.json().catch(() => ({}));
      return problem.detail ?? `The server refuses this page with HTTP status ${answer.status}.`;
    } catch {
      // No answer at all: the server is away, which passes.
      return null;
    }
  }

  async #read(path, query) {
    const answer = await this.#environment.fetch(this.#url(path, query), { credentials: this.#credentials });
    if (answer.status === 404) {
      return null;
    }
    if (!answer.ok) {
      throw new Error(`HTTP ${answer.status}`);
    }
    return answer.json();
  }

  #url(path, query) {
    const url = new URL(this.#session);
    url.pathname += path;
    Object.entries(query).forEach(([name, value]) => url.searchParams.set(name, value));
    return url.href;
  }
}
