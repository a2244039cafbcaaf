/** What happened to a question. Pieces since the last `restarted`, joined, are exactly the `text` of `ended`. Ignore types that you do not know. */
export type Update = Accepted | Text | Restarted | Ended;

/** The server has accepted the question. `position` is 0 if it starts now, otherwise its place in the queue. */
export interface Accepted { type: 'accepted'; position: number }

/** A piece to append. */
export interface Text { type: 'text'; text: string }

/** The text so far is withdrawn; pieces begin again. */
export interface Restarted { type: 'restarted' }

/** The question has ended. This is the last update. */
export interface Ended extends Whole { type: 'ended' }

export type Status = 'completed' | 'incomplete' | 'cancelled' | 'failed' | 'timeout';

/** How a question ended. */
export interface Whole {
  status: Status;
  /** Null for `completed`, otherwise one of the reasons in the protocol, or a responder's own. */
  reason: string | null;
  /** For people. */
  message: string | null;
  /** Whether asking again can succeed, and after how many milliseconds, if that is known. */
  retryable: boolean;
  retryAfterMs: number | null;
  /** The whole answer, also if it is only a part of what there could have been. */
  text: string;
  /** Milliseconds from the start to the first text, and to the end. */
  firstMs: number | null;
  totalMs: number | null;
}

/** The server accepted the question and has forgotten it, or its answer could not be read. This is its last update. */
export interface Unanswered { type: 'lost' | 'unreadable' }

/** An update of any question of the session. `question` is its text, if it is known. */
export type FollowedUpdate = (Update | Unanswered) & { id: string; question?: string };

/**
 * The answer to one question. Iterate over it for its updates, as often as you like: each iteration begins with the state so far.
 * Leaving an iteration early does not cancel the question.
 */
export interface Answer extends AsyncIterable<Update> {
  /** The id of the question. */
  readonly id: string;

  /**
   * The whole answer, once the question has ended. How it ended is a value. Rejected, as the iteration is, with `RefusedError`, `LostError`,
   * `UnreadableError` or `StoppedError`. It need not be awaited: a rejection that nobody awaits is not reported.
   */
  readonly whole: Promise<Whole>;
}

export interface AskOptions {
  /**
   * 1 to 64 of `A-Z a-z 0-9 . _ ~ : @ -`. A random one by default. Asking again with the same id and text gives the same answer, also if someone else
   * has asked it.
   */
  id?: string;
  /** What the server does while another question is open: refuse this one (the default), queue it, or end the other one. */
  ifBusy?: 'reject' | 'queue' | 'replace';
  /** For the responder, which decides which options it takes. */
  options?: Record<string, unknown>;
  /** Passed to the responder unchanged. */
  metadata?: Record<string, unknown>;
}

/** A question as the server has it. `status` is that of `Whole`, or the state of an open question: `queued`, `accepted`, `answering`, `recovering`. */
export interface QuestionRecord extends Omit<Whole, 'status'> {
  id: string;
  question: string;
  status: Status | (string & {});
  /** ISO 8601. */
  askedAt: string;
}

/** `connecting` until the first greeting of the server, `reconnecting` between two connections. Nothing leads out of `stopped`. */
export type State = 'connecting' | 'live' | 'reconnecting' | 'stopped';

/**
 * - `closed`: by `close()`
 * - `refused`: the server refuses this client and will not change its mind
 * - `token_expired`: and no other token could be had
 * - `session_removed`
 * - `protocol`: the client and the server do not understand each other
 * - `ended`: the server has closed the connection for good, for another reason
 */
export type StopReason = 'closed' | 'refused' | 'token_expired' | 'session_removed' | 'protocol' | 'ended';

export interface Stopped {
  reason: StopReason;
  /** The contract's error code, if the server sent an error. */
  code?: string;
  /** The close code, if the server closed the connection. */
  close?: number;
  /** For people. */
  message: string;
}

export interface ConnectOptions {
  /** A token, or a function that returns one. It is called for each connection and request, and again before a token expires. */
  token?: string | (() => string | null | undefined | Promise<string | null | undefined>);
  /** Appended to the base address; contains `{session}`. The defaults are `/ws/{session}` and `/v1/sessions/{session}`. */
  socketPath?: string;
  apiPath?: string;
  /** As in `fetch`: 'include' for a server of another origin that needs a cookie. 'same-origin' by default. */
  credentials?: 'omit' | 'same-origin' | 'include';
  /**
   * `auto` (the default) uses WebSockets, and event streams where there are none or where they are blocked. The others use only one of them.
   */
  transport?: 'auto' | 'websocket' | 'events';
  /** A constructor of WebSockets for runtimes without one, for example that of the package `ws`. `null` means that there is none. */
  WebSocket?: (new (url: string, protocols: string[]) => any) | null;
  fetch?: typeof fetch;
}

/** The last `hello` of the server, as it was sent. */
export interface Hello {
  session: string;
  responder: string;
  durability: 'stored' | 'memory' | (string & {});
  limits: Record<string, number>;
  features: string[];
  [field: string]: unknown;
}

/** The events of a session, and their `detail`. */
export interface SessionEvents {
  /** The state has changed. */
  state: State;
  /** The server sent an error that belongs to no question and no cancel. */
  problem: RefusedError;
}

/** A session of the server. It reconnects and resumes by itself until it stops. */
export interface Session {
  readonly id: string;
  readonly state: State;
  /** Why the session has stopped, or null. */
  readonly stopped: Stopped | null;
  /** Null before the first connection is live. */
  readonly hello: Hello | null;

  /**
   * Asks now, or as soon as the session is live. Never throws for what the server says: that is in the answer. Throws a `TypeError` for an id or
   * a text that no server takes, for options or metadata that JSON cannot express, and for the id of a question that is open with another text.
   */
  ask(text: string, options?: AskOptions): Answer;

  /**
   * The answer to an open question, whoever asked it or, without an id, to the running one. Null if there is none. Asks nothing. A session knows what
   * is open once it is live.
   */
  answer(id?: string): Answer | null;

  /**
   * Cancels this question or, without an id, the running one, whoever asked it. It waits until the session is live. Fulfilled when the server
   * has taken the cancel, or if the question has ended; rejected with `RefusedError` or `StoppedError`. Can be repeated.
   */
  cancel(id?: string): Promise<void>;

  /**
   * The updates of all questions of the session from now on, own and others'. What is open comes first, with its text so far. The sequence ends
   * when the session is closed, and throws `StoppedError` if it stops otherwise, or `SessionError` with the code `reader_too_slow` if 1,000 updates wait.
   */
  follow(): AsyncIterableIterator<FollowedUpdate>;

  /** The last questions, oldest first; `limit` is 1 to 100, 50 by default. Rejected with `RefusedError`, or with the error of `fetch`. */
  history(limit?: number): Promise<QuestionRecord[]>;

  /** One question, or null if the server does not know it. Rejected as `history` is. */
  question(id: string): Promise<QuestionRecord | null>;

  /** Connects without waiting for the back-off, for example because the network is back. */
  retryNow(): void;

  /** Closes the connection. What is being answered goes on, and open answers are rejected with `StoppedError`. */
  close(): void;

  addEventListener<K extends keyof SessionEvents>(
    type: K, listener: (event: Event & { readonly detail: SessionEvents[K] }) => void, options?: boolean | { once?: boolean; signal?: AbortSignal }): void;
  removeEventListener<K extends keyof SessionEvents>(type: K, listener: (event: Event & { readonly detail: SessionEvents[K] }) => void): void;
}

/**
 * Opens a session and connects at once. Close it when it is no longer needed: its connection keeps a program running.
 * @param url the base address of the server: `http(s)://host[:port][/prefix]`, or `ws(s)`. A query is sent with every connection and request
 * @param session 1 to 128 of `A-Z a-z 0-9 . _ ~ : @ -`
 * @throws TypeError if the address or the id is not valid
 */
export function connect(url: string | URL, session: string, options?: ConnectOptions): Session;

/** `code` is the contract's error code, or `lost`, `unreadable`, `stopped` or `reader_too_slow`. */
export class SessionError extends Error {
  readonly code: string;
}

/** The server refused a question, a cancel or a read. */
export class RefusedError extends SessionError {
  /** The invalid field. */
  readonly param?: string;
  /** Whether the same request, unchanged, can succeed later, and after how many milliseconds. */
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  /** For `session_busy`: the question that is open, and for how long. */
  readonly activeQuestionId?: string;
  readonly activeForMs?: number;
}

/** The server had accepted the question and has forgotten it. It is not asked again by itself. */
export class LostError extends SessionError {}

/** The question has ended, but its text could not be read, after several tries. */
export class UnreadableError extends SessionError {}

/** The session stopped before the end of the question, which may still be answered: ask again with the same id, or read the history. */
export class StoppedError extends SessionError {
  readonly reason: StopReason;
  readonly close?: number;
}
