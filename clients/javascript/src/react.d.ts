import type { Answer, AskOptions, ConnectOptions, Hello, RefusedError, SessionError, State, Status, Stopped, Whole } from './index.js';

/**
 * - `sending`: the server has not accepted it yet
 * - `queued`, `accepted`, `answering`, `recovering`: it is open
 * - the statuses of `Whole`: it has ended
 * - `refused`: by the server, see `error`
 * - `lost`: the server had accepted it and has forgotten it
 * - `unreadable`: it has ended, but its text could not be read
 * - `stopped`: the session stopped first
 */
export type QuestionStatus = Status | 'sending' | 'queued' | 'accepted' | 'answering' | 'recovering' | 'refused' | 'lost' | 'unreadable' | 'stopped';

/** A question of the session. It is never changed: another object replaces it, and one that is the same object has not changed. */
export interface Question extends Omit<Whole, 'status'> {
  readonly id: string;
  /** Undefined for a moment if another client has asked it. */
  readonly question: string | undefined;
  readonly status: QuestionStatus | (string & {});
  /** The answer so far. */
  readonly text: string;
  /** Its place in the queue, or 0. */
  readonly position: number;
  /** Whether more can come. */
  readonly isOpen: boolean;
  /** Whether this hook has asked it. What was asked before a page was loaded is not known as its own. */
  readonly isMine: boolean;
  readonly isCancelling: boolean;
  /** ISO 8601, if it came from the history. */
  readonly askedAt: string | undefined;
  /** Why it has no answer, if this hook has asked it. */
  readonly error: SessionError | null;
}

export interface LiveSession {
  /** The history of the session, then what was asked since, by anyone. In the order in which it was asked. */
  readonly questions: readonly Question[];
  /** Whether a question is open, own or not. */
  readonly busy: boolean;
  readonly state: State;
  /** Why the session has stopped, or null. To connect again, mount the component again, for example with another `key`. */
  readonly stopped: Stopped | null;
  readonly hello: Hello | null;
  /** Whether the history has been read. */
  readonly isLoaded: boolean;
  /** What went wrong and belongs to no question, for example because the history could not be read. Null again with the next question or connection. */
  readonly problem: RefusedError | Error | null;

  /** As `ask` of a session. A question that was refused stays among `questions` until `dismiss`. The four functions stay the same. */
  readonly ask: (text: string, options?: AskOptions) => Answer;
  /** As `cancel` of a session. */
  readonly cancel: (id?: string) => Promise<void>;
  /** Removes a question that is not open from `questions`. It stays in the session. */
  readonly dismiss: (id: string) => void;
  readonly retryNow: () => void;
}

export interface UseSessionOptions extends ConnectOptions {
  /** How many questions of the history are read: 1 to 100, 50 by default. */
  limit?: number;
}

/**
 * A session that is connected while the component is mounted. Another `url` or `session` closes it and opens the other one. Other options are read
 * when it connects and do not connect it again; of `token`, always the last one is called, so it can be an inline function. On a server, it
 * connects to nothing and shows no questions.
 * @throws TypeError while rendering, if the session's id is not valid
 */
export function useSession(url: string | URL, session: string, options?: UseSessionOptions): LiveSession;
