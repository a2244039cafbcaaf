// Why a question has no answer, and why a request failed. How an answered question ended is a value, not an error.

/** `code` is the contract's code (docs/protocol.md, section 8), or one of the client: `lost`, `unreadable`, `stopped`, `reader_too_slow`. */
export class SessionError extends Error {
  name = 'SessionError';

  constructor(code, message, more) {
    super(message);
    Object.assign(this, more, { code });
  }
}

/** The server refused the question, the cancel or the read. If it is `retryable`, the same request can succeed after `retryAfterMs`. */
export class RefusedError extends SessionError {
  name = 'RefusedError';

  /** @param error an `error` frame, or a problem document as one */
  constructor({ code, message, param, retryable, retry_after_ms: retryAfterMs, active_question_id: activeQuestionId, active_for_ms: activeForMs }) {
    super(code, message, { param, retryable, retryAfterMs, activeQuestionId, activeForMs });
  }
}

/** The server had accepted the question and has forgotten it. Nothing is asked twice by itself, so the caller decides whether to ask again. */
export class LostError extends SessionError {
  name = 'LostError';

  constructor(message) {
    super('lost', message);
  }
}

/** The question has ended, but its text could not be read. It is still on the server: read it later with `question(id)`. */
export class UnreadableError extends SessionError {
  name = 'UnreadableError';

  constructor(message) {
    super('unreadable', message);
  }
}

/** The session stopped first, for `reason`. The question may still be answered: ask again with the same id, or read the history. */
export class StoppedError extends SessionError {
  name = 'StoppedError';

  constructor({ reason, code = 'stopped', close, message }) {
    super(code, message, { reason, close });
  }
}
