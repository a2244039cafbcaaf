// The hook on a server. In a browser, tests of the sample page use it. Needs React, and is skipped without it.

import assert from 'node:assert/strict';
import test from 'node:test';
import { World } from './harness.js';

const { createElement, StrictMode } = await import('react').catch(() => ({}));
const { renderToString } = await import('react-dom/server').catch(() => ({}));
const { useSession } = createElement ? await import('../src/react.js') : {};
const skip = renderToString ? false : 'The packages react and react-dom are not installed.';

class Rendered extends World {
  open(id) {
    const { environment } = this;
    const Chat = () => {
      const { state, questions, busy, isLoaded } = useSession('/', id, environment);
      return createElement('p', null, JSON.stringify({ state, questions, busy, isLoaded }));
    };
    this.render = () => renderToString(createElement(StrictMode, null, createElement(Chat)));
  }
}

test('On a server, a session is rendered without its questions, and nothing is connected', { skip }, async () => {
  const world = new Rendered('abc');
  assert.match(world.render().replaceAll('&quot;', '"'), /\{"state":"connecting","questions":\[\],"busy":false,"isLoaded":false\}/);
  await world.settled();
  assert.deepEqual([world.sockets, world.requests], [[], []]);
});

test('An id that is not one of a session is an error of the component', { skip }, () => {
  assert.throws(() => new Rendered('no spaces').render(), TypeError);
});
