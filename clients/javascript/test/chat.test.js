// What a chat of the AI SDK shows: its own code reads the streams of the transport. Needs the package `ai`, and is skipped without it.

import assert from 'node:assert/strict';
import test from 'node:test';
import { ChatWorld } from './chats.js';
import { accepted, delta, done, hello, snapshot } from './harness.js';

const { AbstractChat } = await import('ai').catch(() => ({}));
const skip = AbstractChat ? false : 'The package ai is not installed.';

/** As `useChat`: it hands on the two functions of a transport, and nothing else. */
const asInUseChat = transport => ({
  sendMessages: options => transport.sendMessages(options), reconnectToStream: options => transport.reconnectToStream(options),
});

const chatOf = (transport, { messages = [], ...init } = {}) => {
  const state = {
    status: 'ready', error: undefined, messages,
    pushMessage: message => { state.messages = [...state.messages, message]; },
    popMessage: () => { state.messages = state.messages.slice(0, -1); },
    replaceMessage: (at, message) => { state.messages = state.messages.with(at, structuredClone(message)); },
    snapshot: thing => structuredClone(thing),
  };
  return new (class extends AbstractChat {})({ id: 'abc', transport, state, ...init });
};

const shown = chat => chat.messages.map(({ role, parts }) => [role, parts.map(part => part.text).join('|')]);

/** The SDK takes turns of the event loop. */
const turns = async () => {
  for (let i = 0; i < 10; i++) {
    await new Promise(resolve => setImmediate(resolve));
  }
};

for (const [name, wrap] of [['a chat', transport => transport], ['useChat', asInUseChat]]) {
  test(`In ${name}, an answer streams in, and its message is exactly the whole text`, { skip }, async () => {
    const world = new ChatWorld('abc');
    const chat = chatOf(wrap(world.transport));
    const sending = chat.sendMessage({ text: 'hi' });
    await turns();
    const id = chat.messages[0].id;
    world.socket.give(hello(), accepted(1, id), delta(2, id, 0, 'one'));
    await turns();
    assert.deepEqual([shown(chat), chat.status], [[['user', 'hi'], ['assistant', 'one']], 'streaming']);
    world.socket.give(snapshot(id, 'o', 1), delta(3, id, 1, 'ne'), delta(4, id, 2, ' two'), done(5, id, 'one two', 3));
    await sending;
    assert.deepEqual([shown(chat), chat.status], [[['user', 'hi'], ['assistant', 'one two']], 'ready']);
    assert.deepEqual([chat.messages[1].metadata.status, chat.messages[1].parts[0].state, chat.messages[1].id], ['completed', 'done', `${id}.answer`]);
  });

  test(`In ${name}, text that was withdrawn is an error, and resuming replaces the message`, { skip }, async () => {
    const world = new ChatWorld('abc');
    const errors = [];
    const chat = chatOf(wrap(world.transport), { onError: error => { errors.push(error.code); chat.resumeStream(); } });
    const sending = chat.sendMessage({ text: 'hi' });
    await turns();
    const id = chat.messages[0].id;
    world.socket.give(hello(), accepted(1, id), delta(2, id, 0, 'one two'));
    await turns();
    world.socket.give(snapshot(id, 'other', 1));
    await sending;
    await turns();
    world.socket.give(delta(3, id, 1, ' text'), done(4, id, 'other text', 2));
    await turns();
    assert.deepEqual([shown(chat), errors, chat.status, chat.error], [[['user', 'hi'], ['assistant', 'other text']], ['withdrawn'], 'ready', undefined]);
  });

  test(`In ${name} that is loaded again, the messages are those of before, and the last answer goes on`, { skip }, async () => {
    const running = { question_id: 'm-1', question: 'hi', state: 'answering', text: 'on', deltas: 1 };
    const world = new ChatWorld('abc', { answers: [['/v1/sessions/abc/questions?limit=50', { questions: [running] }]] });
    const chat = chatOf(wrap(world.transport), { messages: await world.transport.messages('abc') });
    assert.deepEqual(shown(chat), [['user', 'hi'], ['assistant', 'on']]);
    // Effects that run twice, as in StrictMode, resume twice.
    const first = chat.resumeStream();
    const second = chat.resumeStream();
    world.socket.give(hello({ seq: 3, open: [{ question_id: 'm-1', state: 'answering' }] }), snapshot('m-1', 'one', 1));
    await first;
    await turns();
    assert.deepEqual([shown(chat), chat.status, world.socket.sent], [[['user', 'hi'], ['assistant', 'one']], 'streaming', []]);
    world.socket.give(delta(4, 'm-1', 1, ' two'), done(5, 'm-1', 'one two', 2));
    await second;
    assert.deepEqual([shown(chat), chat.status], [[['user', 'hi'], ['assistant', 'one two']], 'ready']);
  });
}

test('A chat has the error with its code, and a stop ends it at once and cancels', { skip }, async () => {
  const world = new ChatWorld('abc');
  const chat = chatOf(world.transport);
  const sending = chat.sendMessage({ text: 'hi' });
  await turns();
  world.socket.give(hello(), { type: 'error', code: 'quota_exceeded', message: 'Too many', retryable: true, question_id: chat.messages[0].id });
  await sending;
  assert.deepEqual([chat.status, chat.error.code, chat.error.message, shown(chat)], ['error', 'quota_exceeded', 'Too many', [['user', 'hi']]]);
  const again = chat.sendMessage({ text: 'again' });
  await turns();
  const id = chat.messages[1].id;
  world.socket.give(accepted(1, id), delta(2, id, 0, 'a'));
  await turns();
  await chat.stop();
  await again;
  assert.deepEqual([chat.status, world.socket.sent.at(-1), shown(chat)[2]], ['ready', { type: 'cancel', question_id: id }, ['assistant', 'a']]);
});
