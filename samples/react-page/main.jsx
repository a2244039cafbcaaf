import { StrictMode, useEffect, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useSession } from 'orleans-sessions/react';

const page = new URL(location.href);
const server = page.searchParams.get('server') ?? 'http://localhost:5080';
const newSession = () => `react-${crypto.randomUUID()}`;

/** The address of the page has the session, so a page that is loaded again shows the same one. */
const App = () => {
  const [session, setSession] = useState(() => page.searchParams.get('s') ?? newSession());
  useEffect(() => {
    page.searchParams.set('s', session);
    history.replaceState(null, '', page);
  }, [session]);
  return <Chat session={session} startAnew={() => setSession(newSession())} />;
};

const Chat = ({ session, startAnew }) => {
  const { questions, state, stopped, problem, isLoaded, busy, ask, cancel, dismiss } = useSession(server, session);
  const [text, setText] = useState('');
  const [fault, setFault] = useState(null);
  const end = useRef(null);
  const last = questions.at(-1);
  useEffect(() => {
    end.current.scrollIntoView({ block: 'end' });
  }, [last]);

  const send = event => {
    event.preventDefault();
    const question = text.trim();
    if (question !== '' && !busy) {
      ask(question);
      setText('');
    }
  };
  const stop = () => cancel().then(() => setFault(null), setFault);
  const askAgain = question => {
    dismiss(question.id);
    ask(question.question);
  };
  const note = stopped?.message ?? problem?.message ?? fault?.message;

  return (
    <>
      <header>
        <h1>A chat with React</h1>
        <p id="state" data-state={state}><i /> {state}</p>
        <button type="button" id="new" onClick={startAnew}>New chat</button>
      </header>
      <main aria-live="polite">
        {isLoaded && questions.length === 0 && <p className="empty">Ask something. Reload the page in the middle of the answer: it goes on.</p>}
        {questions.map(question => <Pair key={question.id} question={question} askAgain={askAgain} />)}
        <div ref={end} />
      </main>
      {note && <p id="note" role="alert">{note}</p>}
      <form onSubmit={send}>
        <input
          id="text" value={text} onChange={event => setText(event.target.value)} placeholder="Ask something" aria-label="Your question" autoComplete="off"
        />
        {busy
          ? <button type="button" id="stop" onClick={stop}>Stop</button>
          : <button id="send" disabled={state === 'stopped'}>Ask</button>}
      </form>
    </>
  );
};

const NOTES = {
  sending: 'Not sent yet', queued: 'Waiting for the question before', cancelled: 'Stopped', lost: 'The server has forgotten this question',
  stopped: 'The connection ended first', incomplete: 'Incomplete',
};

const Pair = ({ question: asked, askAgain }) => {
  const { question, text, status, isOpen, isCancelling, message, error } = asked;
  const note = isCancelling ? 'Stopping' : NOTES[status] ?? error?.message ?? message;
  const isUnasked = ['refused', 'lost'].includes(status);
  return (
    <section className="pair" data-status={status}>
      <p className="question">{question}</p>
      <div className="answer" aria-busy={isOpen}>
        {text}{isOpen && <span className="caret" />}
      </div>
      {note && <p className="meta">{note} {isUnasked && <button type="button" onClick={() => askAgain(asked)}>Ask again</button>}</p>}
    </section>
  );
};

createRoot(document.getElementById('root')).render(<StrictMode><App /></StrictMode>);
