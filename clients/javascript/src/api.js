// The addresses of a session, and the HTTP requests for it.

import { RefusedError } from './errors.js';

/** Only with one of these codes does the server not know the question. Another 404 can come from a proxy, or be of a wrong address. */
const UNKNOWN = new Set(['question_not_found', 'session_not_found']);
const JSON_BODY = { 'Content-Type': 'application/json' };

/** A problem document as an `error` frame. Something between client and server can answer without one. */
export const errorOf = async answer => {
  const { status } = answer;
  const problem = await answer.json().catch(() => null);
  return {
    code: `http_${status}`, retryable: status === 429 || status >= 500, ...problem, status,
    message: problem?.detail ?? `${answer.url || 'The server'} answered with HTTP status ${status}.`, type: 'error',
  };
};

/** What is sent. Half a surrogate pair cannot be sent in UTF-8, and the server would refuse the message. */
export const jsonOf = message => JSON.stringify(message, (_, value) => typeof value === 'string' ? value.toWellFormed?.() ?? value : value);

export class Api {
  #fetch;
  #socket;
  #session;
  #credentials;
  #token;

  /** @param socket the address of the session's socket, and `session` of its HTTP; both can have a query */
  constructor({ fetch }, socket, session, { credentials = 'same-origin', token }) {
    this.#fetch = fetch;
    this.#socket = socket;
    this.#session = session;
    this.#credentials = credentials;
    this.#token = token;
  }

  /** The address of the socket. With a position, the socket resumes from there. */
  socketUrl(position) {
    const url = withQuery(this.#socket, position.query);
    url.protocol = url.protocol.replace('http', 'ws');
    return url.href;
  }

  /** Sends a request with the caller's token, or with the one that is given. */
  async send(path, query, { headers, ...request } = {}, token) {
    const url = withQuery(this.#session, query);
    url.pathname += path;
    token ??= this.#token ? await this.#token() : '';
    return this.#fetch(url.href, {
      ...request, headers: { ...headers, ...(token && { Authorization: `Bearer ${token}` }) }, credentials: this.#credentials,
    });
  }

  post(path, body, signal) {
    return this.send(path, {}, { method: 'POST', headers: JSON_BODY, body: jsonOf(body), signal });
  }

  /** The question as stored on the server, or null if the server has no question with this id. */
  question(id) {
    return this.#read(`/questions/${encodeURIComponent(id)}`);
  }

  /** The last questions, oldest first. Empty for a session that the server does not know. */
  async questions(limit = 50) {
    const stored = await this.#read('/questions', { limit });
    return stored?.questions ?? [];
  }

  /**
   * What HTTP says of a socket on which nothing was heard, because a browser hides the response to a failed upgrade: `refused`, an `error`
   * frame, if the next attempt is refused too, or `works` if HTTP reaches the server. This is a POST, because a browser then sends the page's
   * origin, as it does for a socket. A POST without a question changes nothing, and a server that serves this client calls it a `bad_request`.
   */
  async probe() {
    try {
      const answer = await this.post('/questions', {});
      const error = await errorOf(answer);
      const works = error.code === 'bad_request';
      return !works && answer.status >= 400 && answer.status < 500 && answer.status !== 429 ? { refused: error } : { works };
    } catch {
      // No response: the server is unavailable, which is temporary.
      return {};
    }
  }

  async #read(path, query) {
    const answer = await this.send(path, query);
    if (answer.ok) {
      return answer.json();
    }
    const error = await errorOf(answer);
    if (UNKNOWN.has(error.code)) {
      return null;
    }
    throw new RefusedError(error);
  }
}

const withQuery = (address, query = {}) => {
  const url = new URL(address);
  Object.entries(query).forEach(([name, value]) => url.searchParams.set(name, value));
  return url;
};
