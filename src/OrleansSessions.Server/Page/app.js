// The chat page: shows the state of SessionClient, and turns keys and clicks into questions and cancels.

import { SessionClient, newId } from './sessions.js';
import { ENDED, REFUSED, STOPPED } from './texts.js';

const SESSION_ID = /^(?!\.{1,2}$)[A-Za-z0-9._~:@-]{1,128}$/;
const NEAR_END_PX = 80;
const TOKEN_KEY = 'token';

const el = id => document.getElementById(id);
const [main, log, form, text, send, stop, signIn] = ['main', 'log', 'form', 'text', 'send', 'stop', 'sign-in'].map(el);

const session = chooseSession();
// Relative to the page, so that it also works under a path prefix of a proxy.
const client = new SessionClient(session, {
  socketPath: 'ws/{session}', apiPath: 'v1/sessions/{session}', token: () => sessionStorage.getItem(TOKEN_KEY) ?? '',
});
const pairs = new Map();
const stale = new Set();
let countdown = null;
let announcedState = 'connecting';

el('session').textContent = session;
el('session').title = session;

client.addEventListener('state', () => {
  showConnection();
  showBusy();
  changed(client.questions.filter(q => q.status === 'sending'));
});
client.addEventListener('question', e => changed([e.detail]));
client.addEventListener('history', () => changed(client.questions));
client.addEventListener('refused', e => showRefusal(e.detail));
client.addEventListener('forgotten', e => changed(e.detail));
client.addEventListener('problem', e => notify(e.detail.message));

form.addEventListener('submit', event => { event.preventDefault(); ask(); });
signIn.addEventListener('submit', event => { event.preventDefault(); useToken(); });
stop.addEventListener('click', () => client.cancel());
el('retry').addEventListener('click', () => client.retryNow());
el('new-session').addEventListener('click', () => location.assign(`?s=${newId('s-')}`));
text.addEventListener('input', fitText);
text.addEventListener('keydown', event => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
globalThis.addEventListener('online', () => client.retryNow());

changed(client.questions);
client.start();
showBusy();
text.focus();

/** The session id is in the address, so that the session can be bookmarked, reloaded and opened twice. */
function chooseSession() {
  const address = new URL(location.href);
  const asked = address.searchParams.get('s') ?? decodeURIComponent(location.hash.replace(/^#s?=?/, ''));
  const id = SESSION_ID.test(asked) ? asked : newId('s-');
  address.searchParams.set('s', id);
  address.hash = '';
  history.replaceState(null, '', address.pathname + address.search);
  return id;
}

function ask() {
  const question = text.value.trim();
  if (question === '' || client.state.name === 'stopped') {
    return;
  }
  if (openQuestion()) {
    notify('Please wait: the previous question is still being answered.');
    return;
  }
  notify('');
  text.value = '';
  fitText();
  client.ask(question);
  main.scrollTop = main.scrollHeight;
}

/** The server has asked for a token, or for another one. */
function useToken() {
  sessionStorage.setItem(TOKEN_KEY, el('token').value.trim());
  el('token').value = '';
  notify('');
  client.retryNow();
}

function openQuestion() {
  return client.questions.find(q => !q.done);
}

function showBusy() {
  const open = openQuestion();
  const isLive = client.state.name === 'live';
  send.disabled = open !== undefined || client.state.name === 'stopped';
  stop.hidden = open === undefined;
  stop.disabled = !isLive || open?.cancelling === true;
  stop.textContent = open?.cancelling ? 'Stopping…' : 'Stop';
  log.querySelectorAll('.again').forEach(button => { button.disabled = open !== undefined || !isLive; });
  el('hint').dataset.busy = String(open !== undefined);
  el('hint-text').textContent = busyText(open, isLive);
}

function busyText(open, isLive) {
  if (open === undefined) {
    return 'Press Enter to send, Shift + Enter for a new line.';
  }
  if (!isLive) {
    return 'Continues when the connection is back.';
  }
  const whose = open.mine ? 'your question' : 'a question from another window';
  return open.cancelling ? 'Stopping the answer…' : `Busy with ${whose}. You can send again when it has been answered.`;
}

function showConnection() {
  const { name, code, message, needsToken = false } = client.state;
  clearInterval(countdown);
  el('connection').dataset.state = name;
  el('retry').hidden = name === 'connecting' || name === 'live' || needsToken;
  showSignIn(needsToken);
  if (name === 'reconnecting' && client.retryInMs > 0) {
    countdown = setInterval(showCountdown, 250);
    showCountdown();
  } else {
    el('connection-text').textContent = { connecting: 'Connecting…', live: 'Connected', reconnecting: 'Reconnecting…', stopped: 'Stopped' }[name];
  }
  if (name !== announcedState) {
    announcedState = name;
    el('announcer').textContent = el('connection-text').textContent;
  }
  if (name === 'stopped' && code !== undefined) {
    notify([STOPPED[code], message].filter(Boolean).join(' ') || `The connection was closed (${code}).`);
  }
  if (client.hello !== null) {
    showResponder(client.hello.responder);
  }
}

function showSignIn(isNeeded) {
  if (signIn.hidden === isNeeded) {
    signIn.hidden = el('token-hint').hidden = !isNeeded;
    form.hidden = el('hint').hidden = isNeeded;
    (isNeeded ? el('token') : text).focus();
  }
}

function showCountdown() {
  const seconds = Math.ceil(client.retryInMs / 1000);
  const shown = seconds > 0 ? `Reconnecting in ${seconds} s` : 'Reconnecting…';
  if (el('connection-text').textContent !== shown) {
    el('connection-text').textContent = shown;
  }
}

function showResponder(name) {
  el('responder').textContent = `answered by ${name}`;
  el('responder').hidden = false;
  el('demo').hidden = name !== 'echo';
}

/** A fast answer changes many times between two frames of the screen. It is drawn once per frame. */
function changed(questions) {
  if (stale.size === 0 && questions.length > 0) {
    requestAnimationFrame(() => {
      const known = new Set(client.questions);
      [...stale].filter(q => known.has(q)).forEach(showQuestion);
      stale.clear();
      showBusy();
    });
  }
  questions.forEach(q => stale.add(q));
}

function showQuestion(question) {
  const follows = main.scrollHeight - main.scrollTop - main.clientHeight < NEAR_END_PX;
  const pair = pairs.get(question.id) ?? addPair(question);
  setText(pair.question, question.question ?? '…');
  setText(pair.answer, question.text);
  pair.answer.hidden = question.done && question.text === '';
  if (pair.answer.getAttribute('aria-busy') !== String(!question.done)) {
    pair.answer.setAttribute('aria-busy', String(!question.done));
    announce(question);
  }
  pair.meta.dataset.status = question.status;
  setText(pair.meta, metaText(question));
  pair.choice.hidden = !(question.lost && question.mine);
  pair.item.dataset.forgotten = String(question.forgotten);
  place(question, pair.item);
  showForgotten();
  el('empty').hidden = true;
  if (follows) {
    main.scrollTop = main.scrollHeight;
  }
}

function addPair(question) {
  const pair = {
    item: document.createElement('li'), question: document.createElement('p'), answer: document.createElement('p'), meta: document.createElement('p'),
  };
  pair.item.dataset.question = question.id;
  for (const part of ['question', 'answer', 'meta']) {
    pair[part].className = part;
    pair.item.append(pair[part]);
  }
  pair.choice = addChoice(question);
  pair.item.append(pair.choice);
  pair.item.className = 'pair';
  pair.question.setAttribute('aria-label', 'Question');
  pair.answer.setAttribute('aria-label', 'Answer');
  pairs.set(question.id, pair);
  return pair;
}

/** Buttons for a question that the server has lost: the reader decides whether to ask it again. */
function addChoice(question) {
  const choice = document.createElement('p');
  const button = (label, className, act) => {
    const node = Object.assign(document.createElement('button'), { type: 'button', className, textContent: label });
    node.addEventListener('click', act);
    choice.append(node);
  };
  choice.className = 'choice';
  button('Ask again', 'again', () => client.askAgain(question));
  button('Dismiss', 'link', () => { client.drop(question); remove(question); });
  return choice;
}

/** Shows one note below the last question that the server has forgotten. */
function showForgotten() {
  const last = client.questions.findLast(q => q.forgotten);
  const item = last && pairs.get(last.id)?.item;
  const note = el('forgotten');
  note.hidden = item === undefined;
  if (item !== undefined && note.parentElement !== item) {
    item.append(note);
    el('announcer').textContent = note.textContent;
  }
}

/** Keeps the order of the client's list. A node that is already in its place is not moved, so a text selection in it is kept. */
function place(question, item) {
  const all = client.questions;
  const next = all.slice(all.indexOf(question) + 1).map(q => pairs.get(q.id)?.item).find(node => node?.isConnected) ?? null;
  if (!item.isConnected || item.nextElementSibling !== next) {
    log.insertBefore(item, next);
  }
}

/** Appends streaming text to the existing node: no flicker, and one write per change. */
function setText(node, value) {
  const known = node.firstChild?.data ?? '';
  if (known === value) {
    return;
  }
  if (known !== '' && value.startsWith(known)) {
    node.firstChild.appendData(value.slice(known.length));
  } else {
    node.textContent = value;
  }
}

function metaText(question) {
  if (!question.done) {
    return question.cancelling ? 'Stopping…' : waitingText(question);
  }
  const took = question.totalMs === null ? '' : `${(question.totalMs / 1000).toFixed(1)} s`;
  if (question.status === 'completed') {
    return took;
  }
  const why = (question.status === 'failed' && question.message) || ENDED[question.reason] || question.message || question.status;
  return [why, took].filter(Boolean).join(' · ');
}

function waitingText(question) {
  if (question.status === 'sending') {
    return client.state.name === 'live' ? 'Sending…' : 'Not sent yet: there is no connection.';
  }
  return question.position > 0 ? `Waiting: number ${question.position} in the queue` : question.text ? '' : 'Waiting for the answer…';
}

function announce(question) {
  if (!question.done) {
    el('announcer').textContent = 'An answer is being generated.';
    return;
  }
  if (pairs.get(question.id).item.isConnected) {
    notify('');
    el('announcer').textContent = question.status === 'completed' ? `Answer: ${question.text}` : `The answer ended: ${metaText(question)}`;
  }
}

function showRefusal({ question, error }) {
  remove(question);
  if (text.value === '') {
    text.value = question.question;
    fitText();
  }
  notify(REFUSED[error.code] ?? error.message);
  showBusy();
}

function remove(question) {
  pairs.get(question.id)?.item.remove();
  pairs.delete(question.id);
  el('empty').hidden = pairs.size > 0;
  showForgotten();
}

function notify(message) {
  el('notice').textContent = message ?? '';
  el('notice').hidden = !message;
}

function fitText() {
  text.style.height = 'auto';
  text.style.height = `${text.scrollHeight + 2}px`;
}
