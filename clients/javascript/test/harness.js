// A simulated browser: a test controls its sockets, clock, storage and HTTP responses.

export { SessionClient } from '../src/sessions.js';
export { shouldReconnect } from '../src/codes.js';
export { backOff } from '../src/retry.js';
export { Position } from '../src/position.js';
// Loaded before any test, so that a stream begins within the turns that a test waits.
import '../src/events.js';
import { connect } from '../src/index.js';
import { SessionClient } from '../src/sessions.js';

/** An event stream that a test feeds. */
class Stream {
  constructor(path, request) {
    Object.assign(this, { path, request });
    this.body = new ReadableStream({ start: controller => { this.controller = controller; } });
    request.signal.addEventListener('abort', () => { this.isClosed = true; });
  }
  giveBytes(bytes) { this.controller.enqueue(bytes); }
  giveText(text) { this.giveBytes(new TextEncoder().encode(text)); }
  give(...frames) { frames.forEach(frame => this.giveText(`id: x\ndata: ${JSON.stringify(frame)}\n\n`)); }
  end() { this.controller.close(); }
  break() { this.controller.error(new TypeError('terminated')); }
}

/** What a server says of a question that it does not know. */
const UNKNOWN = { status: 404, body: { code: 'question_not_found', detail: 'No such question.', retryable: false } };

export class World {
  sockets = [];
  streams = [];
  bodies = [];
  stored = new Map();
  requests = [];
  authorizations = [];
  states = [];
  refused = [];
  problems = [];
  forgotten = [];
  #timers = new Map();
  #nextTimer = 1;
  #now = 0;

  constructor(session = 'abc', { answers = [], ...options } = {}) {
    const world = this;
    this.answers = new Map(answers);
    this.environment = {
      WebSocket: class {
        readyState = 1;
        sent = [];
        closedWith = null;
        constructor(url, protocols) {
          Object.assign(this, { url: new URL(url), protocols });
          world.sockets.push(this);
        }
        send(text) { this.sent.push(JSON.parse(text)); }
        close(code) { this.closedWith = code; this.readyState = 3; }
        open() { if (!this.isOpened) { this.isOpened = true; this.onopen?.(); } }
        give(...frames) { this.open(); frames.forEach(f => this.onmessage?.({ data: JSON.stringify(f) })); }
        drop(code = 1006, reason = '') { this.readyState = 3; this.onclose({ code, reason }); }
      },
      fetch: async (url, request = {}) => {
        const { method = 'GET', headers = {} } = request;
        const path = (method === 'GET' ? '' : `${method} `) + new URL(url).pathname + new URL(url).search;
        world.requests.push(path);
        world.bodies.push(request.body === undefined ? null : JSON.parse(request.body));
        world.authorizations.push(headers.Authorization ?? null);
        const given = world.answers.get(path);
        const answer = given instanceof Promise ? await given : given;
        if (answer === undefined && headers.Accept === 'text/event-stream') {
          const stream = new Stream(path, request);
          world.streams.push(stream);
          return { ok: true, status: 200, body: stream.body };
        }
        if (answer instanceof Error) {
          throw answer;
        }
        const missing = method === 'GET' ? UNKNOWN : { status: 503 };
        const { status, body } = answer === undefined ? missing : answer.status > 0 ? answer : { status: 200, body: answer };
        return { ok: status < 300, status, url, json: async () => body === undefined ? JSON.parse('') : structuredClone(body) };
      },
      setTimeout: (work, wait) => {
        world.#timers.set(world.#nextTimer, { work, at: world.#now + wait });
        return world.#nextTimer++;
      },
      clearTimeout: id => world.#timers.delete(id),
      random: () => 0.5,
      now: () => world.#now,
      base: 'http://host:5080/page',
      ...options,
      storage: {
        getItem: key => world.stored.get(key) ?? null,
        setItem: (key, value) => world.stored.set(key, value),
        removeItem: key => world.stored.delete(key),
      },
    };
    this.open(session);
  }

  /** A newly opened page. It knows only what is in the storage. */
  open(session) {
    this.client = new SessionClient(session, this.environment);
    this.client.addEventListener('state', () => this.states.push(this.client.state.name));
    this.client.addEventListener('refused', e => this.refused.push(e.detail.error.code));
    this.client.addEventListener('problem', e => this.problems.push(e.detail.code));
    this.client.addEventListener('forgotten', e => this.forgotten.push(e.detail.map(q => q.id)));
    this.client.start();
  }

  get stream() {
    return this.streams.at(-1);
  }

  get socket() {
    return this.sockets.at(-1);
  }

  get only() {
    return this.client.questions[0];
  }

  advance(milliseconds) {
    this.#now += milliseconds;
    for (const [id, timer] of [...this.#timers]) {
      if (timer.at <= this.#now && this.#timers.delete(id)) {
        timer.work();
      }
    }
  }

  async settled() {
    for (let i = 0; i < 100; i++) {
      await null;
    }
  }
}

/** The same world for a program: `session` is from `connect`. */
export class ConnectedWorld extends World {
  open(id) {
    this.session = connect(this.environment.url ?? 'http://host:5080', id, this.environment);
    this.session.addEventListener('state', e => this.states.push(e.detail));
    this.session.addEventListener('problem', e => this.problems.push(e.detail.code));
  }

  /** Like `settled`, but for streams, which need turns of the event loop. */
  async turns() {
    for (let i = 0; i < 10; i++) {
      await new Promise(resolve => setImmediate(resolve));
    }
  }
}

/** Reads a sequence to its end, until `count` updates are read, or until one has the type `last`. */
export const read = async (updates, count = Infinity, last = null) => {
  const seen = [];
  for await (const update of updates) {
    seen.push(update);
    if (seen.length === count || update.type === last) {
      break;
    }
  }
  return seen;
};

export const hello = (more = {}) => ({
  type: 'hello', protocol: 'sessions.v1', session: 'abc', connection: 'c-1', responder: 'echo', epoch: 'e1', seq: 0, open: [], resuming: false,
  heartbeat_ms: 25000, limits: {}, reconnect: { min_ms: 250, max_ms: 15000 }, features: [], ...more,
});

export const accepted = (seq, id, more = {}) => ({ type: 'accepted', seq, question_id: id, duplicate: false, position: 0, ...more });

export const delta = (seq, id, index, text, more = {}) => ({ type: 'delta', seq, question_id: id, index, text, ...more });

export const done = (seq, id, text, deltas, more = {}) => ({
  type: 'done', seq, question_id: id, status: 'completed', reason: null, message: null, retryable: false, deltas, bytes: Buffer.byteLength(text),
  first_ms: 1, total_ms: 2, ...more,
});

export const snapshot = (id, text, deltas, more = {}) => ({
  type: 'snapshot', epoch: 'e1', question_id: id, text, deltas, bytes: Buffer.byteLength(text), status: 'answering', part: 1, parts: 1, ...more,
});

export const resumed = (toSeq, more = {}) => ({ type: 'resumed', recovered: true, reason: null, epoch: 'e1', to_seq: toSeq, open: [], ...more });
