// Compiled by `npm run types`, never run: what a caller writes, and what the compiler must refuse.

import {
  type Answer, type QuestionRecord, type Session, type StopReason, type Update, type Whole,
  LostError, RefusedError, SessionError, StoppedError, UnreadableError, connect,
} from 'orleans-sessions';

const session: Session = connect('https://chat.example', 'my-session', {
  token: async () => 'secret', WebSocket, fetch, transport: 'auto', credentials: 'include', socketPath: '/ws/{session}', apiPath: '/v1/sessions/{session}',
});
connect(new URL('https://chat.example'), 'my-session');
connect('https://chat.example', 'my-session', { token: 'secret', WebSocket: null });
connect('https://chat.example', 'my-session', { token: () => null });

export const ask = async (): Promise<Whole> => {
  const answer: Answer = session.ask('hi', { id: 'q-1', ifBusy: 'queue', options: { model: 'small' }, metadata: { lang: 'en' } });
  let text = '';
  for await (const update of answer) {
    switch (update.type) {
      case 'accepted': console.log(update.position.toFixed()); break;
      case 'text': text += update.text; break;
      case 'restarted': text = ''; break;
      case 'ended': console.log(update.status, update.reason?.length, update.retryAfterMs?.toFixed(), update.text === text); break;
      default: { const never: never = update; throw never; }
    }
  }
  try {
    return await answer.whole;
  } catch (error) {
    if (error instanceof RefusedError) {
      console.log(error.param, error.retryable, error.retryAfterMs, error.activeQuestionId, error.activeForMs);
    } else if (error instanceof StoppedError) {
      const reason: StopReason = error.reason;
      console.log(reason, error.close);
    } else if (error instanceof LostError || error instanceof UnreadableError || error instanceof SessionError) {
      console.log(error.code.length);
    }
    throw error;
  }
};

export const followAll = async (): Promise<void> => {
  for await (const update of session.follow()) {
    console.log(update.id, update.question);
    if (update.type === 'text') {
      console.log(update.text);
    }
  }
};

session.addEventListener('state', event => console.log(event.detail === 'live', session.stopped?.reason === 'refused', session.hello?.responder));
session.addEventListener('problem', event => console.log(event.detail.code));
export const records: Promise<QuestionRecord[]> = session.history(10);
export const one: Promise<QuestionRecord | null> = session.question('q-1');
export const cancelled: Promise<void>[] = [session.cancel(), session.cancel('q-1')];
export const update: Update = { type: 'text', text: 'a' };
session.retryNow();
session.close();

// @ts-expect-error: a question is a text
session.ask(1);
// @ts-expect-error: not a way to treat a busy session
session.ask('hi', { ifBusy: 'wait' });
// @ts-expect-error: not a transport
connect('https://chat.example', 'my-session', { transport: 'pigeon' });
// @ts-expect-error: a session is connected, not constructed
new Session('https://chat.example', 'my-session');
