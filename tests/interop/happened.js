// Waiting for an event, not for a time.

const DEADLINE = 10_000;

/** For what waits for pusher-js to connect again: it leaves 15 s between two attempts. */
export const RECONNECTING = 40_000;

/** What `bind(listener)` brings next that `wanted` takes; an error if nothing does. */
export function next(what, bind, wanted = () => true, deadline = DEADLINE) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} did not happen`)), deadline);
    bind((...told) => {
      if (!wanted(...told)) return;
      clearTimeout(timer);
      resolve(told[0]);
    });
  });
}

/** The data of the next `event` of a pusher-js channel, connection or user. */
export function happened(target, event, wanted, deadline) {
  return next(event, (listener) => target.bind(event, listener), wanted, deadline);
}
