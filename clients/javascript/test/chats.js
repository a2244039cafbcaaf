// A simulated browser whose page has a chat.

import { SessionChatTransport } from '../src/ai.js';
import { World } from './harness.js';

/** A chat without a user interface: what its transport gives. */
export class ChatWorld extends World {
  reported = [];

  open() {
    this.reopen();
  }

  /** A newly loaded page. */
  reopen(options) {
    this.transport = new SessionChatTransport('http://host:5080', { ...this.environment, onProblem: error => this.reported.push(error.code), ...options });
  }

  send(text = 'hi', { id = 'm-1', chatId = 'abc', ...more } = {}) {
    return this.transport.sendMessages({ trigger: 'submit-message', chatId, messages: [user(text, id)], ...more });
  }

  resume(more) {
    return this.transport.reconnectToStream({ chatId: 'abc', ...more });
  }

  /** Asks, and reads all that the stream gives. */
  async ask(...args) {
    const stream = await this.send(...args);
    await this.settled();
    return collect(stream);
  }
}

export const user = (text, id = 'm-1') => ({ id, role: 'user', parts: [{ type: 'text', text }] });

/** All chunks of a stream, and its error. */
export const collect = async stream => {
  const chunks = [];
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
    }
    return { chunks, error: null };
  } catch (error) {
    return { chunks, error };
  }
};
