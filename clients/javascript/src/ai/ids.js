// The ids of messages and questions. A user's message and its question have the same id, so that sending the message again does not ask it twice, and
// so that a page that is loaded again has the same messages.

import { QUESTION_ID } from '../ids.js';

/** 64 bits of FNV-1a, as 16 digits. */
const digest = text => [0x811c9dc5, 0x01000193].map(seed => {
  let hash = seed;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}).join('');

export const questionIdOf = messageId => QUESTION_ID.test(messageId) ? messageId : `m-${digest(messageId)}`;

/** A message that was edited keeps its id, but it is another question. */
export const editedIdOf = (questionId, text) => `${questionId.slice(0, 47)}.${digest(text)}`;

export const answerIdOf = questionId => `${questionId}.answer`;
