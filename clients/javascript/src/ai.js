// Sessions of the server as the transport of a chat of the Vercel AI SDK.

import { streamOf } from './ai/chunks.js';
import { Conversation } from './ai/conversation.js';
import { questionIdOf } from './ai/ids.js';
import { messagesOf } from './ai/messages.js';
import { newId } from './ids.js';

export { FailedError, WithdrawnError } from './ai/errors.js';
export { messagesOf } from './ai/messages.js';
export { LostError, RefusedError, SessionError, StoppedError, UnreadableError } from './errors.js';

/** docs: README.md */
export class SessionChatTransport {
  /** A stream that is resumed begins with the text so far. */
  resumeStreamIsReplay = true;

  #url;
  #options;
  #maxConnections;
  #conversations = new Map();   // by chat id, the one that was used last at the end

  constructor(url, { maxConnections = 4, ...options } = {}) {
    this.#url = url;
    this.#options = options;
    this.#maxConnections = maxConnections;
  }

  async sendMessages({ trigger, chatId, messages, abortSignal, headers, body, metadata }) {
    checkHeaders(headers);
    const message = messages.at(-1);
    const text = textOf(message);
    // Asking for another answer is another question: the session keeps the first one.
    const id = trigger === 'regenerate-message' ? newId('q-') : questionIdOf(message.id);
    return streamOf(await this.#conversation(chatId).ask(id, text, { ifBusy: this.#options.ifBusy, options: body, metadata }, abortSignal));
  }

  async reconnectToStream({ chatId, abortSignal }) {
    const reading = await this.#conversation(chatId).resume(abortSignal);
    return reading && streamOf(reading);
  }

  async messages(chatId, limit) {
    return messagesOf(await this.#conversation(chatId).history(limit));
  }

  close() {
    this.#conversations.forEach(conversation => conversation.close());
    this.#conversations.clear();
  }

  #conversation(chatId) {
    let conversation = this.#conversations.get(chatId);
    if (!conversation || conversation.hasStopped) {
      conversation = new Conversation(this.#url, chatId, this.#options, () => this.#closeIdle());
    }
    this.#conversations.delete(chatId);
    this.#conversations.set(chatId, conversation);
    // Whatever is called next makes it busy.
    queueMicrotask(() => this.#closeIdle());
    return conversation;
  }

  /** Closes what was used longest ago and is not in use now. */
  #closeIdle() {
    for (const [chatId, conversation] of this.#conversations) {
      if (this.#conversations.size <= this.#maxConnections) {
        return;
      }
      if (!conversation.isBusy) {
        this.#conversations.delete(chatId);
        conversation.close();
      }
    }
  }
}

/** The text of a user's message. Throws for what cannot be asked. */
const textOf = message => {
  if (message?.role !== 'user') {
    throw new TypeError('The last message is not one of the user, so there is nothing to ask. resumeStream() reads on in an answer.');
  }
  const other = message.parts.find(part => part.type !== 'text');
  if (other) {
    throw new TypeError(`A question is only text, but the message has a part of the type '${other.type}'.`);
  }
  return message.parts.map(part => part.text).join('');
};

const checkHeaders = headers => {
  if ([...new Headers(headers).keys()].length > 0) {
    throw new TypeError("A socket cannot carry the headers of a message. For a token, use the option 'token' of the transport.");
  }
};
