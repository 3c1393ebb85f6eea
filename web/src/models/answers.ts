import { at, count, flag, id, list, object, oneOf, optional, tag, text, time, WireError, type Json, type Reader } from './read.js';
import { bareNotification, inboxNotification } from './notification.js';
import type { Change, ChangeKind, ChangesAnswer, Head, InboxPage, LiveEvent, RemovedReason, ResetReason, Stamp } from './wire.js';

const REMOVED: readonly RemovedReason[] = ['user', 'retracted', 'expired', 'pruned', 'recounted'];
const RESET: readonly ResetReason[] = ['diverged', 'trimmed', 'behind'];
const ids = list(id);

export const head: Reader<Head> = (value, key) => {
  const json = object(value, key);
  return { seq: at(json, 'seq', count), tag: at(json, 'tag', optional(tag)), pending: at(json, 'pending', count) };
};

export const inboxPage: Reader<InboxPage> = (value, key) => {
  const json = object(value, key);
  return {
    head: head(json, key),
    notifications: at(json, 'notifications', list(inboxNotification)),
    next: at(json, 'next', optional(count)),
  };
};

export const changesAnswer: Reader<ChangesAnswer> = (value, key) => {
  const json = object(value, key);
  const kind = at(json, 'kind', text);
  switch (kind) {
    case 'changes':
      return { kind, changes: at(json, 'changes', list(change)), more: at(json, 'more', flag) };
    case 'reset':
      return { kind, reason: at(json, 'reason', oneOf(RESET, 'other')), snapshot: at(json, 'snapshot', inboxPage) };
    default:
      throw new WireError('`kind` must be changes or reset');
  }
};

const stamp: Reader<Stamp> = (value, key) => {
  const json = object(value, key);
  return {
    seq: at(json, 'seq', count),
    tag: at(json, 'tag', tag),
    prev: at(json, 'prev', optional(tag)),
    pending: at(json, 'pending', count),
    at: at(json, 'at', time),
  };
};

const change: Reader<Change> = (value, key) => {
  const json = object(value, key);
  return { ...stamp(json, key), ...changeKind(json) };
};

function changeKind(json: Json): ChangeKind {
  const kind = at(json, 'kind', text);
  switch (kind) {
    case 'added':
      return at(json, 'gone', optional(flag))
        ? { kind: 'gone', id: at(at(json, 'notification', object), 'id', id) }
        : { kind, notification: at(json, 'notification', inboxNotification) };
    case 'opened':
    case 'unopened':
      return { kind, ids: at(json, 'ids', ids) };
    case 'removed':
      return { kind, ids: at(json, 'ids', ids), reason: at(json, 'reason', oneOf(REMOVED, 'other')) };
    case 'opened_all':
      return { kind, through: at(json, 'through', count) };
    default:
      return { kind: 'unknown' };
  }
}

/** Reads the `data` of a live event. A notification with a malformed `inbox` is malformed, not bare. */
export const liveEvent: Reader<LiveEvent> = (value, key) => {
  const json = object(value, key);
  const { inbox, ...rest } = json;
  const isThin = at(json, 'truncated', (told, name) => told !== undefined && flag(told, name));
  if (inbox === undefined || inbox === null) {
    return { kind: 'bare', notification: bareNotification(json, key) };
  }
  if (isThin) {
    return { kind: 'thin', stamp: at(json, 'inbox', stamp) };
  }
  const of = at(json, 'inbox', stamp);
  const isAdded = (json['kind'] ?? null) === null || (json['content'] ?? null) !== null;
  const what: ChangeKind = isAdded ? { kind: 'added', notification: inboxNotification(rest, key) } : changeKind(json);
  return { kind: 'change', change: { ...of, ...what } };
};
