// The messages of the page.

/** Why a connection is not opened again, by close code. */
export const STOPPED = {
  1008: 'The server ended this connection.',
  1009: 'The message was too large for the server.',
  4005: 'Your sign-in has expired.',
  4100: 'The server does not understand the messages of this page.',
  4101: 'You are not signed in.',
  4103: 'You may not use this session.',
  4104: 'This session was removed.',
  4109: 'This session was opened elsewhere.',
  4110: 'This session is in use elsewhere.',
  4126: 'The server does not support the protocol of this page.',
};

/** Why a question was refused, by error code. */
export const REFUSED = {
  session_busy: 'The previous question is still being answered. Your question is back in the box.',
  queue_full: 'Too many questions are waiting. Your question is back in the box.',
  question_too_large: 'The question is too long. Shorten it and send it again.',
};

/** How a question ended, by reason. */
export const ENDED = {
  responder_unavailable: 'The responder could not be reached.',
  responder_error: 'The responder failed.',
  responder_refused: 'The responder declined to answer.',
  responder_cut: 'The answer was interrupted.',
  responder_lost: 'The process that generated the answer has ended.',
  length: 'The answer reached the length limit of the model.',
  answer_too_large: 'The answer reached the size limit.',
  timeout_first_delta: 'The answer did not start in time.',
  timeout_idle: 'The answer stopped arriving.',
  timeout_total: 'The answer took too long.',
  queue_timeout: 'The question waited too long in the queue.',
  replaced: 'Replaced by another question.',
  session_removed: 'The session was removed.',
  by_client: 'Stopped.',
  lost: 'The server no longer knows this question.',
  unreadable: 'The answer could not be read. Reload the page to try again.',
};
