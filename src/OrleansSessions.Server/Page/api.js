// The addresses of a session, and the HTTP requests for it.

/** Status codes that refuse the caller, not the request: the next attempt is refused too. */
const REFUSALS = new Set([401, 403]);

export class Api {
  #environment;
  #socket;
  #session;
  #credentials;
  #token;

  /** The paths contain `{session}`. They are resolved against `base`, so they can be absolute or relative. */
  constructor(session, environment, { base, socketPath, apiPath, credentials, token }) {
    const resolve = path => new URL(path.replace('{session}', encodeURIComponent(session)), base);
    this.#environment = environment;
    this.#credentials = credentials;
    this.#token = token;
    this.#socket = resolve(socketPath);
    this.#session = resolve(apiPath);
  }

  /** The address of the socket. With a position, the socket resumes from there. */
  socketUrl({ epoch, last }) {
    const url = new URL(this.#socket);
    url.protocol = url.protocol.replace('http', 'ws');
    if (epoch !== null) {
      url.searchParams.set('epoch', epoch);
      url.searchParams.set('after', String(last));
    }
    return url.href;
  }

  /** The question as stored on the server, or null if the server has no question with this id. */
  question(id) {
    return this.#read(`/questions/${encodeURIComponent(id)}`, {});
  }

  /** The last questions, oldest first. Empty for a session that the server does not know. */
  async questions() {
    const stored = await this.#read('/questions', { limit: '50' });
    return stored?.questions ?? [];
  }

  /**
   * The reason why sockets are refused (`message`, and `needsToken` if it is the token), or null if HTTP is not refused. A browser hides the response to a failed upgrade.
   * This is a POST, because a browser then sends the page's origin, as it does for a socket. A POST without a question changes nothing.
   */
  async refusal() {
    try {
      const answer = await this.#fetch(this.#url('/questions', {}), { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } });
      if (!REFUSALS.has(answer.status)) {
        return null;
      }
      const problem = await answer.json().catch(() => ({}));
      const message = problem.detail ?? `The server refuses this page with HTTP status ${answer.status}.`;
      return { message, ...(answer.status === 401 && { needsToken: true }) };
    } catch {
      // No response: the server is unavailable, which is temporary.
      return null;
    }
  }

  async #read(path, query) {
    const answer = await this.#fetch(this.#url(path, query), {});
    if (answer.status === 404) {
      return null;
    }
    if (!answer.ok) {
      throw new Error(`HTTP ${answer.status}`);
    }
    return answer.json();
  }

  #fetch(url, request) {
    const send = more => this.#environment.fetch(url, { ...request, headers: { ...request.headers, ...more }, credentials: this.#credentials });
    return this.#token === null ? send({}) : this.#withToken(send);
  }

  async #withToken(send) {
    const token = await this.#token();
    return send(token ? { Authorization: `Bearer ${token}` } : {});
  }

  #url(path, query) {
    const url = new URL(this.#session);
    url.pathname += path;
    Object.entries(query).forEach(([name, value]) => url.searchParams.set(name, value));
    return url.href;
  }
}
