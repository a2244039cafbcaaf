// The application's own page: it signs in as before, then opens the session of its customer.

import { SessionClient } from './sessions/sessions.js';

const el = id => document.getElementById(id);

el('sign-in').addEventListener('submit', async event => {
  event.preventDefault();
  const name = el('name').value;
  const response = await fetch('/sign-in', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name, password: el('password').value }),
  });
  el('refused').hidden = response.ok;
  if (response.ok) {
    el('sign-in').hidden = true;
    el('chat').hidden = false;
    openSession(`${name}.chat`);
  }
});

/**
 * The server keeps customers apart whatever the id is. The name is in it because the tab keeps questions that are not sent yet by their session's id,
 * and another customer can sign in here. The cookie goes with the socket and with HTTP by itself, because both are of the page's own host.
 */
function openSession(id) {
  const client = new SessionClient(id);
  client.addEventListener('question', () => show(client.questions));
  client.addEventListener('history', () => show(client.questions));
  client.start();
  el('stop').addEventListener('click', () => client.cancel());
  el('ask').addEventListener('submit', event => {
    event.preventDefault();
    client.ask(el('question').value);
    el('question').value = '';
  });
}

function show(questions) {
  el('log').replaceChildren(...questions.flatMap(question => [
    line('question', question.question ?? ''),
    line('answer', question.status === 'cancelled' ? `${question.text} (stopped)` : question.text),
  ]));
}

function line(name, text) {
  const paragraph = document.createElement('p');
  paragraph.className = name;
  paragraph.textContent = text;
  return paragraph;
}
