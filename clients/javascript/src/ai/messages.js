// The history of a session as the messages of a chat.

import { metadataOf } from './chunks.js';
import { answerIdOf } from './ids.js';

const OPEN = new Set(['queued', 'accepted', 'answering', 'recovering']);

/** An answer that has no text yet is left out if nothing comes after it: its stream adds it. */
export const messagesOf = records => records.flatMap((record, i) => {
  const { id, question, text, status } = record;
  const isOpen = OPEN.has(status);
  const asked = { id, role: 'user', parts: [{ type: 'text', text: question }] };
  if (isOpen && text === '' && i + 1 === records.length) {
    return [asked];
  }
  return [asked, {
    id: answerIdOf(id), role: 'assistant', metadata: metadataOf(id, record), parts: text ? [{ type: 'text', text, state: isOpen ? 'streaming' : 'done' }] : [],
  }];
});
