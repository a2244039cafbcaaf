// The ids of sessions and questions: docs/protocol.md, section 1.

const SESSION_ID = /^(?!\.{1,2}$)[\w.~:@-]{1,128}$/;
export const QUESTION_ID = /^[\w.~:@-]{1,64}$/;

export const newId = prefix => {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return prefix + Array.from(bytes, b => b.toString(16).padStart(2, '0')).join('');
};

const check = (kind, pattern) => id => {
  if (typeof id !== 'string' || !pattern.test(id)) {
    throw new TypeError(`The ${kind} id must match ${pattern}, but is ${JSON.stringify(id)}.`);
  }
};

export const checkSessionId = check('session', SESSION_ID);
export const checkQuestionId = check('question', QUESTION_ID);
