// Waits for events, never for a time.

const DEADLINE = 10_000;

/** The deadline when pusher-js must reconnect: it waits 15 s between two attempts. */
export const RECONNECTING = 40_000;

/** Resolves with the next event that `bind(listener)` brings and `wanted` accepts, or rejects. */
export function next(what, bind, wanted = () => true, deadline = DEADLINE) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} did not happen`)), deadline);
    bind((...event) => {
      if (!wanted(...event)) return;
      clearTimeout(timer);
      resolve(event[0]);
    });
  });
}

/** Resolves with the data of the next `event` of a pusher-js channel, connection or user. */
export function happened(target, event, wanted, deadline) {
  return next(event, (listener) => target.bind(event, listener), wanted, deadline);
}
