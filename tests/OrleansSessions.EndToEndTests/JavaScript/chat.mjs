// A chat of the AI SDK with the real server. It says on a line what it shows, and its caller plays the model. Arguments: the package, the server.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, server] = process.argv.slice(2);
const load = createRequire(`${folder}/package.json`);
const { SessionChatTransport } = await import(pathToFileURL(`${folder}/src/ai.js`));
const { AbstractChat } = load('ai');
const { WebSocket } = load('ws');

const ID = 'ai-chat';
const errors = [];

/** A page with a chat. `until` waits until the last message has this text. */
const openPage = async () => {
  const transport = new SessionChatTransport(server, { WebSocket, onProblem: error => errors.push(error.code) });
  const waiting = [];
  const changed = () => waiting.splice(0).forEach(wake => wake());
  const state = {
    status: 'ready', error: undefined, messages: await transport.messages(ID),
    pushMessage: message => { state.messages = [...state.messages, message]; changed(); },
    popMessage: () => { state.messages = state.messages.slice(0, -1); },
    replaceMessage: (at, message) => { state.messages = state.messages.with(at, structuredClone(message)); changed(); },
    snapshot: thing => structuredClone(thing),
  };
  const chat = new (class extends AbstractChat {})({ id: ID, transport, state, onError: error => errors.push(error.code ?? error.stack) });
  const until = async text => {
    while (textOf(chat.lastMessage) !== text) {
      await new Promise(resolve => waiting.push(resolve));
    }
    console.log(`shown: ${text}`);
  };
  return { chat, transport, until };
};

const textOf = message => message?.parts.map(part => part.text).join('|');

const before = await openPage();
const lost = before.chat.sendMessage({ text: 'hi' });
await before.until('one');
before.transport.close();
await lost;
const failed = errors.splice(0);

const { chat, transport, until } = await openPage();
const loaded = chat.messages.map(textOf);
console.log('loaded');
const resumed = chat.resumeStream();
await until('one two');
await resumed;

const stopped = chat.sendMessage({ text: 'stop' });
await until('a');
await chat.stop();
await stopped;
const next = chat.sendMessage({ text: 'next' });
await until('fine');
await next;

const live = chat.messages.map(message => [message.id, textOf(message)]);
const history = (await transport.messages(ID)).map(message => [message.id, textOf(message)]);
console.log(`result: ${JSON.stringify({ failed, loaded, live, history, status: chat.status, errors })}`);
transport.close();
