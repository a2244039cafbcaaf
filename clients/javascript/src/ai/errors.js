// Why a chat shows an error. What the server refuses, and what the client fails at, is thrown as it is everywhere else.

import { SessionError } from '../errors.js';

/** The question has ended without a complete answer: it `failed`, or a deadline passed (`timeout`). `code` is the reason. */
export class FailedError extends SessionError {
  name = 'FailedError';

  constructor({ status, reason, message, retryable, retryAfterMs }) {
    super(reason, message, { status, retryable, retryAfterMs });
  }
}

/** The answer has begun again with another text, and a message stream cannot withdraw what it has shown. */
export class WithdrawnError extends SessionError {
  name = 'WithdrawnError';

  constructor() {
    super('withdrawn', 'The answer has begun again, and the text so far does not count any more. resumeStream() replaces it.');
  }
}
