import type { ChatTransport, UIMessage, UIMessageChunk } from 'ai';
import type { AskOptions, ConnectOptions, QuestionRecord, SessionError, Whole } from './index.js';

/** The metadata of an answer's message. Until the question has ended, `status` is `queued`, `accepted`, `answering` or `recovering`. */
export interface AnswerMetadata extends Omit<Whole, 'text' | 'status'> {
  questionId: string;
  status: Whole['status'] | (string & {});
}

/** A message of a chat whose transport is a `SessionChatTransport`: `useChat<SessionMessage>(...)`. The messages of the user have no metadata. */
export type SessionMessage = UIMessage<AnswerMetadata>;

export interface SessionChatTransportOptions extends ConnectOptions {
  /** What the server does with a message while another question is open. */
  ifBusy?: AskOptions['ifBusy'];
  /** Connections that are kept, one for each chat, 4 by default. Above that, the one that was used longest ago is closed, unless it is in use. */
  maxConnections?: number;
  /** What went wrong and belongs to no stream, for example a refused stop. `console.warn` by default. */
  onProblem?: (error: SessionError) => void;
}

/**
 * The transport of a chat: the id of the chat is the id of the session. It connects with the first message, and keeps its connections until `close`.
 *
 * A message of the user is a question with the id of the message, so a message that is sent again is not asked twice. `regenerate` and a message
 * that was edited ask another question. Both questions stay in the session. `body` of a message are the options of the question.
 */
export class SessionChatTransport<MESSAGE extends UIMessage = SessionMessage> implements ChatTransport<MESSAGE> {
  /** @param url as for `connect` */
  constructor(url: string | URL, options?: SessionChatTransportOptions);

  readonly resumeStreamIsReplay: boolean;

  /**
   * Asks the text of the last message. Aborting the signal cancels the question on the server. The stream fails with a `RefusedError`, `LostError`,
   * `UnreadableError`, `StoppedError`, `FailedError` or `WithdrawnError`, which is then the `error` of the chat.
   */
  sendMessages(options: Parameters<ChatTransport<MESSAGE>['sendMessages']>[0]): Promise<ReadableStream<UIMessageChunk>>;

  /** The answer to the running question from its beginning, whoever asked it, or null if none is running. Waits until the session is live. */
  reconnectToStream(options: Parameters<ChatTransport<MESSAGE>['reconnectToStream']>[0]): Promise<ReadableStream<UIMessageChunk> | null>;

  /** The history of a chat, for a page that was loaded again; `limit` is 1 to 100 questions, 50 by default. */
  messages(chatId: string, limit?: number): Promise<MESSAGE[]>;

  /** Closes the connections. What is being answered goes on. A later message connects again. */
  close(): void;
}

/** The history of a session as messages, with the ids that the transport uses. The last question can be running: `resumeStream()` reads on. */
export function messagesOf(records: readonly QuestionRecord[]): SessionMessage[];

/** The question has ended without a complete answer. `code` is the reason. */
export class FailedError extends SessionError {
  readonly status: 'failed' | 'timeout';
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
}

/** The answer has begun again with another text, and a message cannot withdraw what it shows. `resumeStream()` replaces it. The code is `withdrawn`. */
export class WithdrawnError extends SessionError {}

export { LostError, RefusedError, SessionError, StoppedError, UnreadableError } from './index.js';
