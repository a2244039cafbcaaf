import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import { LiveSession } from '../src/react/live.js';
import { World, accepted, delta, done, hello, snapshot } from './harness.js';


/** A page that shows a session. The clock of its frames is the mocked one of Node. */
class Page extends World {
  renders = [];

  open(id) {
    this.live = new LiveSession('http://host:5080', id, this.environment);
  }

  mount() {
    this.unmount = this.live.subscribe(() => this.renders.push(this.live.getSnapshot()));
    return this;
  }

  get shown() {
    return this.live.getSnapshot();
  }

  /** What is shown of each question. */
  get rows() {
    return this.shown.questions.map(({ id, question, text, status }) => [id, question, text, status]);
  }

  async reconnect(waits) {
    this.socket.drop();
    await this.settled();
    this.advance(waits);
    await this.settled();
  }

  async frame() {
    await this.settled();
    mock.timers.tick(16);
    await this.settled();
  }
}

const stored = (id, state, more = {}) => ({
  question_id: id, question: `${id}?`, state, text: 'old', deltas: 1, asked_at: '2026-01-02T03:04:05+00:00',
  ...(state === 'completed' && { status: state }), ...more,
});


const livePage = async (records = []) => {
  const page = new Page('abc', { answers: [['/v1/sessions/abc/questions?limit=50', { questions: records }]] }).mount();
  await page.settled();
  page.socket.give(hello());
  await page.settled();
  return page;
};

test.beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
test.afterEach(() => mock.timers.reset());

test('Nothing is connected before it is mounted, nor on a server', () => {
  const page = new Page('abc');
  const shown = page.live.getServerSnapshot();
  assert.deepEqual([page.sockets.length, shown.state, shown.questions, shown.busy, page.shown === shown], [0, 'connecting', [], false, true]);
  assert.throws(() => new LiveSession('http://host:5080', 'no spaces'), TypeError);
});

test('Mounted twice in a row, it keeps its one connection; unmounted, it closes it', async () => {
  const page = new Page('abc').mount();
  const answer = page.live.ask('hi', { id: 'q-1' });
  page.unmount();
  page.mount();
  await page.settled();
  page.socket.give(hello(), accepted(1, 'q-1'), delta(2, 'q-1', 0, 'yes'), done(3, 'q-1', 'yes', 1));
  await page.frame();
  assert.equal((await answer.whole).text, 'yes');
  assert.deepEqual([page.sockets.length, page.socket.sent.length, page.socket.closedWith], [1, 1, null]);
  page.unmount();
  await page.settled();
  assert.equal(page.socket.closedWith, 1000);
});

test('What was asked before the page was mounted is asked once it is', async () => {
  const page = new Page('abc');
  page.live.ask('hi', { id: 'q-1' });
  page.mount();
  await page.settled();
  page.socket.give(hello());
  await page.settled();
  assert.deepEqual([page.sockets.length, page.socket.sent.map(frame => frame.id)], [1, ['q-1']]);
});

test('The history comes first, then what is open, then what is asked', async () => {
  const page = await livePage([stored('q-1', 'completed'), stored('q-2', 'answering', { text: 'part' })]);
  assert.deepEqual(page.rows, [['q-1', 'q-1?', 'old', 'completed'], ['q-2', 'q-2?', 'part', 'answering']]);
  assert.deepEqual([page.shown.isLoaded, page.shown.busy], [true, true]);
  page.socket.give(accepted(1, 'q-2'), snapshot('q-2', 'part of', 2));
  page.live.ask('new', { id: 'q-3' });
  await page.frame();
  assert.deepEqual(page.rows.slice(1), [['q-2', 'q-2?', 'part of', 'answering'], ['q-3', 'new', '', 'sending']]);
  assert.deepEqual(page.shown.questions.map(question => [question.isMine, question.isOpen]), [[false, false], [false, true], [true, true]]);
});

test('The history is older than what was asked while it was read, and newer than what was shown before', async () => {
  let answer;
  const page = await livePage([stored('q-1', 'completed')]);
  page.answers.set('/v1/sessions/abc/questions?limit=50', new Promise(resolve => { answer = resolve; }));
  await page.reconnect(125);
  page.socket.give(hello({ seq: 9 }));
  page.live.ask('quick', { id: 'q-4' });
  page.socket.give(accepted(10, 'q-4'), done(11, 'q-4', '', 0));
  await page.frame();
  answer({ questions: [stored('q-2', 'completed'), stored('q-3', 'completed')] });
  await page.frame();
  assert.deepEqual(page.shown.questions.map(question => question.id), ['q-1', 'q-2', 'q-3', 'q-4']);
});

test('Text is shown once a frame, and a question that does not change stays the same object', async () => {
  const page = await livePage([stored('q-1', 'completed')]);
  page.live.ask('hi', { id: 'q-2' });
  page.socket.give(accepted(1, 'q-2'));
  await page.frame();
  const [first] = page.shown.questions;
  const before = page.renders.length;
  for (let i = 0; i < 50; i++) {
    page.socket.give(delta(i + 2, 'q-2', i, 'x'));
    await page.settled();
  }
  assert.equal(page.renders.length, before);
  await page.frame();
  assert.deepEqual([page.renders.length, page.rows[1][2].length, page.shown.questions[0] === first], [before + 1, 50, true]);
  page.socket.give({ type: 'ping', seq: 51 });
  await page.frame();
  assert.equal(page.renders.length, before + 1);
  const { questions, ask, cancel } = page.shown;
  page.socket.drop();
  await page.settled();
  const { shown } = page;
  assert.deepEqual([shown.state, shown.questions === questions, shown.ask === ask, shown.cancel === cancel], ['reconnecting', true, true, true]);
});

test('The end of an answer is shown at once, with its text', async () => {
  const page = await livePage();
  page.live.ask('hi', { id: 'q-1' });
  page.socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'yes'), done(3, 'q-1', 'yes', 1));
  await page.settled();
  const [question] = page.shown.questions;
  assert.deepEqual([question.text, question.status, question.isOpen, question.totalMs, page.shown.busy], ['yes', 'completed', false, 2, false]);
});

test('Text that was withdrawn is replaced', async () => {
  const page = await livePage();
  page.socket.give(accepted(1, 'q-1', { question: 'theirs' }), delta(2, 'q-1', 0, 'old'));
  await page.frame();
  page.socket.give(snapshot('q-1', 'new', 1));
  await page.frame();
  assert.deepEqual(page.rows, [['q-1', 'theirs', 'new', 'answering']]);
});

test('A refused question stays with its error until it is dismissed', async () => {
  const page = await livePage();
  const answer = page.live.ask('hi', { id: 'q-1' });
  page.socket.give({ type: 'error', code: 'session_busy', message: 'Please wait', retryable: true, question_id: 'q-1' });
  await page.settled();
  await assert.rejects(answer.whole, { code: 'session_busy' });
  const [question] = page.shown.questions;
  assert.deepEqual([question.status, question.error.code, question.isOpen, page.shown.busy], ['refused', 'session_busy', false, false]);
  page.live.dismiss('q-1');
  await page.settled();
  assert.deepEqual(page.rows, []);
});

test('A question that was lost says so, and can be asked again under its id, as the newest one', async () => {
  const page = await livePage();
  page.live.ask('hi', { id: 'q-1' });
  page.socket.give(accepted(1, 'q-1'), { type: 'resumed', recovered: false, epoch: 'e2', to_seq: 0, open: [] });
  await page.frame();
  assert.deepEqual([page.rows, page.shown.questions[0].error.code], [[['q-1', 'hi', '', 'lost']], 'lost']);
  page.live.ask('other', { id: 'q-2' });
  page.live.ask('hi', { id: 'q-1' });
  await page.settled();
  assert.deepEqual(page.rows, [['q-2', 'other', '', 'sending'], ['q-1', 'hi', '', 'sending']]);
});

test('A cancel is shown until the question has ended, or until it is refused', async () => {
  const page = await livePage();
  page.live.ask('hi', { id: 'q-1' });
  page.socket.give(accepted(1, 'q-1'));
  await page.frame();
  const cancelled = page.live.cancel();
  await page.settled();
  assert.equal(page.shown.questions[0].isCancelling, true);
  page.socket.give(done(2, 'q-1', '', 0, { status: 'cancelled', reason: 'by_client' }));
  await cancelled;
  await page.settled();
  assert.deepEqual([page.shown.questions[0].isCancelling, page.shown.questions[0].status], [false, 'cancelled']);
  const refused = assert.rejects(page.live.cancel('q-9'), { code: 'question_not_found' });
  page.socket.give({ type: 'error', code: 'question_not_found', message: 'm', retryable: false, question_id: 'q-9' });
  await refused;
});

test('A session that stops leaves nothing open', async () => {
  const page = await livePage([stored('q-1', 'answering')]);
  page.live.ask('hi', { id: 'q-2' });
  await page.settled();
  page.socket.drop(4104);
  await page.settled();
  assert.deepEqual(page.rows.map(row => row[3]), ['stopped', 'stopped']);
  assert.deepEqual([page.shown.state, page.shown.stopped.reason, page.shown.busy], ['stopped', 'session_removed', false]);
});

test('Mounted again later, it connects again, reads what has ended meanwhile, and asks nothing twice', async () => {
  const page = await livePage();
  page.live.ask('one', { id: 'q-1' });
  page.live.ask('two', { id: 'q-2', ifBusy: 'queue' });
  page.socket.give(accepted(1, 'q-1'), delta(2, 'q-1', 0, 'a'), accepted(3, 'q-2', { position: 1 }));
  await page.frame();
  page.unmount();
  await page.settled();
  page.answers.set('/v1/sessions/abc/questions?limit=50', { questions: [stored('q-1', 'completed', { text: 'ab' }), stored('q-2', 'answering')] });
  page.mount();
  await page.settled();
  page.socket.give(hello({ seq: 5, open: [{ question_id: 'q-2', state: 'answering' }] }), snapshot('q-2', 'c', 1), delta(6, 'q-2', 1, 'd'));
  await page.frame();
  assert.deepEqual(page.rows, [['q-1', 'q-1?', 'ab', 'completed'], ['q-2', 'two', 'cd', 'answering']]);
  assert.deepEqual([page.sockets.length, page.socket.sent], [2, []]);
});

test('What others asked meanwhile is shown in its place', async () => {
  const page = await livePage([stored('q-1', 'completed'), stored('q-3', 'completed')]);
  page.answers.set('/v1/sessions/abc/questions?limit=50', { questions: ['q-1', 'q-2', 'q-3', 'q-4'].map(id => stored(id, 'completed')) });
  await page.reconnect(125);
  page.socket.give(hello({ seq: 9 }));
  await page.settled();
  assert.deepEqual(page.shown.questions.map(question => question.id), ['q-1', 'q-2', 'q-3', 'q-4']);
});

test('What others asked while the connection missed something is shown, also if it was never lost', async () => {
  const page = await livePage([stored('q-1', 'completed')]);
  page.answers.set('/v1/sessions/abc/questions?limit=50', { questions: ['q-1', 'q-2'].map(id => stored(id, 'completed')) });
  page.socket.give({ type: 'resumed', recovered: false, reason: 'trimmed', epoch: 'e1', to_seq: 900, open: [] });
  await page.settled();
  assert.deepEqual([page.shown.questions.map(question => question.id), page.sockets.length], [['q-1', 'q-2'], 1]);
});

test('What was dismissed does not come back with the history, unless it is asked again', async () => {
  const page = await livePage([stored('q-1', 'completed'), stored('q-2', 'completed')]);
  page.live.dismiss('q-1');
  await page.reconnect(125);
  page.socket.give(hello({ seq: 9 }));
  await page.settled();
  assert.deepEqual(page.shown.questions.map(question => question.id), ['q-2']);
  page.live.ask('q-1?', { id: 'q-1' });
  await page.settled();
  assert.deepEqual(page.shown.questions.map(question => question.id), ['q-2', 'q-1']);
});

test('A page that was too busy to read goes on with the history', async () => {
  const page = await livePage();
  const ids = Array.from({ length: 600 }, (_, i) => `q-${i}`);
  page.answers.set('/v1/sessions/abc/questions?limit=50', { questions: ids.slice(-50).map(id => stored(id, 'completed')) });
  page.socket.give(...ids.flatMap((id, i) => [accepted(2 * i + 1, id), done(2 * i + 2, id, '', 0)]), accepted(1201, 'q-open'), delta(1202, 'q-open', 0, 'a'));
  await page.frame();
  assert.deepEqual(page.rows.at(-1), ['q-open', undefined, 'a', 'answering']);
  assert.deepEqual(page.rows.at(-2), ['q-599', 'q-599?', 'old', 'completed']);
});

test('A question that was not sent yet is not lost, and is sent with the next connection', async () => {
  const page = await livePage();
  page.socket.drop();
  await page.settled();
  page.live.ask('hi', { id: 'q-1' });
  page.advance(125);
  await page.settled();
  page.socket.give(hello());
  await page.settled();
  assert.deepEqual([page.rows, page.socket.sent.length], [[['q-1', 'hi', '', 'sending']], 1]);
});

test('A question that the server has forgotten since the last mount is lost', async () => {
  const page = await livePage();
  page.socket.give(accepted(1, 'q-1', { question: 'theirs' }));
  await page.frame();
  page.unmount();
  await page.settled();
  page.mount();
  await page.settled();
  page.socket.give(hello({ epoch: 'e2' }));
  await page.settled();
  assert.deepEqual(page.rows, [['q-1', 'theirs', '', 'lost']]);
});

test('A history that cannot be read is a problem, until the session is live again', async () => {
  const page = await livePage();
  page.answers.set('/v1/sessions/abc/questions?limit=50', { status: 503, body: { code: 'store_unavailable', detail: 'm', retryable: true } });
  await page.reconnect(125);
  page.socket.give(hello());
  await page.settled();
  assert.equal(page.shown.problem.code, 'store_unavailable');
  page.answers.delete('/v1/sessions/abc/questions?limit=50');
  await page.reconnect(250);
  page.socket.give(hello());
  await page.settled();
  assert.equal(page.shown.problem, null);
});

test('The token of the last render is used', async () => {
  const page = new Page('abc');
  page.live.options = { ...page.environment, token: () => 'first' };
  page.mount();
  await page.settled();
  page.live.options = { ...page.environment, token: 'second' };
  page.socket.give(hello());
  await page.settled();
  assert.deepEqual([page.sockets.length, page.socket.protocols.length, page.authorizations], [1, 2, ['Bearer second']]);
});
