// A session of the server as a React hook.

import { useEffect, useState, useSyncExternalStore } from 'react';
import { LiveSession } from './react/live.js';

/** docs: README.md */
export const useSession = (url, session, options = {}) => {
  const address = String(url);
  const [opened, setOpened] = useState(() => new LiveSession(address, session, options));
  let live = opened;
  if (live.url !== address || live.id !== session) {
    live = new LiveSession(address, session, options);
    setOpened(live);
  }
  // Before the subscription, so that it connects with the options of this render.
  useEffect(() => {
    live.options = options;
  });
  return useSyncExternalStore(live.subscribe, live.getSnapshot, live.getServerSnapshot);
};
