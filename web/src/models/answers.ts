import { count, flag, id, list, object, oneOf, optional, record, tag, text, time, WireError, type Json, type Reader } from './read.js';
import { bareNotification, inboxNotification } from './notification.js';
import type { Change, ChangeKind, ChangesAnswer, Head, InboxPage, LiveEvent, RemovedReason, ResetReason, Stamp } from './wire.js';

const REMOVED: readonly RemovedReason[] = ['user', 'retracted', 'expired', 'pruned', 'recounted'];
const RESET: readonly ResetReason[] = ['diverged', 'trimmed', 'behind'];

export const head: Reader<Head> = record({ seq: count, tag: optional(tag), pending: count });

const rows = record({ notifications: list(inboxNotification), next: optional(count) });

/** Reads a page. The head's keys are beside the page's own. */
export const inboxPage: Reader<InboxPage> = (value) => ({ head: head(value), ...rows(value) });

const changes = record({ changes: list(change), more: flag });

const reset = record({ reason: oneOf(RESET, 'other'), snapshot: inboxPage });

export const changesAnswer: Reader<ChangesAnswer> = (value) => {
  const { kind } = object(value);
  switch (kind) {
    case 'changes':
      return { kind, ...changes(value) };
    case 'reset':
      return { kind, ...reset(value) };
    default:
      throw new WireError();
  }
};

const stamp: Reader<Stamp> = record({ seq: count, tag, prev: optional(tag), pending: count, at: time });

const added = record({ notification: inboxNotification });
const gone = record({ notification: record({ id }) });
const marked = record({ ids: list(id) });
const removed = record({ ids: list(id), reason: oneOf(REMOVED, 'other') });
const openedAll = record({ through: count });

function change(value: unknown): Change {
  return { ...stamp(value), ...changeKind(object(value)) };
}

function changeKind(json: Json): ChangeKind {
  const kind = text(json['kind']);
  switch (kind) {
    case 'added':
      return optional(flag)(json['gone']) ? { kind: 'gone', id: gone(json).notification.id } : { kind, ...added(json) };
    case 'opened':
    case 'unopened':
      return { kind, ...marked(json) };
    case 'removed':
      return { kind, ...removed(json) };
    case 'opened_all':
      return { kind, ...openedAll(json) };
    default:
      return { kind: 'unknown' };
  }
}

/**
 * Reads the `data` of a live event. A notification with a malformed `inbox` is an error; only one
 * without `inbox` is bare.
 */
export const liveEvent: Reader<LiveEvent> = (value) => {
  const json = object(value);
  const { inbox, ...rest } = json;
  const isThin = json['truncated'] !== undefined && flag(json['truncated']);
  if (inbox === undefined || inbox === null) {
    return { kind: 'bare', notification: bareNotification(json) };
  }
  const of = stamp(inbox);
  if (isThin) {
    return { kind: 'thin', stamp: of };
  }
  const isAdded = (json['kind'] ?? null) === null || (json['content'] ?? null) !== null;
  return { kind: 'change', change: { ...of, ...(isAdded ? { kind: 'added', notification: inboxNotification(rest) } : changeKind(json)) } };
};
