// A WebSocket as the wire of a link.

import { jsonOf } from './api.js';
import { INVALID_PAYLOAD } from './codes.js';

const SUBPROTOCOL = 'sessions.v1.json';
const OPEN = 1;

/** A browser cannot set a header on a socket, so a token is sent as one more subprotocol: unpadded base64url of its UTF-8. */
const protocolsWith = token => token === '' ? [SUBPROTOCOL] : [SUBPROTOCOL, `bearer.${base64Url(token)}`];

const base64Url = text => btoa(String.fromCharCode(...new TextEncoder().encode(text))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

export const openSocket = ({ WebSocket }, api, position) => (token, { opened, heard, closed }) => {
  const socket = new WebSocket(api.socketUrl(position), protocolsWith(token));
  socket.onopen = opened;
  socket.onmessage = ({ data }) => {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      closed(INVALID_PAYLOAD, 'The server sent something that is not JSON.');
      return;
    }
    heard(frame);
  };
  socket.onclose = ({ code, reason }) => closed(code, reason);
  // A close always follows. Without a listener, some implementations for Node throw the error.
  socket.onerror = () => {};
  return {
    send: message => {
      const isOpen = socket.readyState === OPEN;
      if (isOpen) {
        socket.send(jsonOf(message));
      }
      return isOpen;
    },
    close: () => socket.close(1000),
  };
};
