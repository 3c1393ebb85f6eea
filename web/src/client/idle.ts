import type { Snapshot } from './types.js';

/** What is shown of nobody's inbox. */
export const IDLE: Snapshot = Object.freeze({
  notifications: Object.freeze([]),
  pending: 0,
  status: 'idle',
  loaded: false,
  hasOlder: false,
  unconfirmed: 0,
});
