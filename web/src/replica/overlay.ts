import type { InboxNotification } from '../models/notification.js';
import type { Timestamp } from '../models/time.js';
import type { Position } from '../models/wire.js';
import { withOpened } from './window.js';

/** A write to the user's inbox. */
export type Command =
  | { readonly kind: 'opened'; readonly ids: readonly string[] }
  | { readonly kind: 'unopened'; readonly ids: readonly string[] }
  /** Opens all that were added up to the position (`through`, `tag`), which the user saw. */
  | { readonly kind: 'opened_all'; readonly through: number; readonly tag: string | null }
  | { readonly kind: 'remove'; readonly id: string };

/** A write that the replica does not contain yet. */
export interface PendingWrite {
  /** The id of the write. The server ignores a repeat. */
  readonly op: string;
  readonly command: Command;
  /** When the user made it; shown as the time of opening until the server's time arrives. */
  readonly at: Timestamp;
  /** The id of the request in which it was first sent, and is sent again. Null before that. */
  readonly sentAs: string | null;
  /** The head in the server's answer. Null before the answer, and when it must be sent again. */
  readonly answered: Position | null;
  /** Whether the server has answered at least once. */
  readonly wasAnswered: boolean;
}

/** A request to the server: one write, or marks of the same kind that follow one another. */
export interface WriteRequest {
  /** The id, that of the first write. The server ignores a repeat. */
  readonly op: string;
  /** What to do, with the ids of all of these marks, at most 500. */
  readonly command: Command;
  /** The writes that it contains. */
  readonly ops: readonly string[];
  /** Whether the server has answered it before. */
  readonly wasAnswered: boolean;
}

/** How many ids a request can mark. */
const MARKS = 500;

/** How many writes can wait for the server's answer. */
const WAITING = 500;

/** How many writes can be pending in all, with those that only the replica lacks. */
const MOST = 10 * WAITING;

/** The pending writes, in order, which are shown on top of the replica. */
export class Overlay {
  #writes: readonly PendingWrite[] = [];

  get writes(): readonly PendingWrite[] {
    return this.#writes;
  }

  /** Adds a write. Returns false if there is no room. */
  push(op: string, command: Command, at: Timestamp): boolean {
    const hasRoom = this.#writes.length < MOST && this.waiting < WAITING;
    if (hasRoom) {
      this.#writes = [...this.#writes, { op, command, at, sentAs: null, answered: null, wasAnswered: false }];
    }
    return hasRoom;
  }

  /** Returns the next request to send. A request that was sent before is the same again. */
  nextRequest(): WriteRequest | undefined {
    const waiting = this.#writes.filter((write) => write.answered === null);
    const first = waiting[0];
    if (first === undefined) {
      return undefined;
    }
    const op = first.sentAs ?? first.op;
    const ops: string[] = [];
    let command: Command | null = null;
    for (const write of waiting) {
      const merged: Command | null = write.sentAs !== first.sentAs ? null : command === null ? write.command : together(command, write.command);
      if (merged === null) {
        break;
      }
      command = merged;
      ops.push(write.op);
    }
    this.#writes = this.#writes.map((write) => (ops.includes(write.op) ? { ...write, sentAs: op } : write));
    return { op, command: command ?? first.command, ops, wasAnswered: first.wasAnswered };
  }

  /** How many writes have no answer. */
  get waiting(): number {
    return this.#writes.filter((write) => write.answered === null).length;
  }

  answered(op: string, head: Position): void {
    this.#writes = this.#writes.map((write) => (isOf(write, op) ? { ...write, answered: head, wasAnswered: true } : write));
  }

  /** Removes the writes of a request, or a write that was never sent. */
  take(op: string): readonly PendingWrite[] {
    const taken = this.#writes.filter((write) => isOf(write, op));
    this.#writes = this.#writes.filter((write) => !isOf(write, op));
    return taken;
  }

  /** Drops the writes whose answered position the replica has passed. */
  passed(contains: (position: Position) => boolean): void {
    if (this.#writes.length > 0) {
      this.#writes = this.#writes.filter((write) => write.answered === null || !contains(write.answered));
    }
  }

  /** Sends all writes again: their answers belong to a history that the replica does not have. */
  sendAgain(): void {
    this.#writes = this.#writes.map((write) => ({ ...write, answered: null }));
  }

  /** Returns the rows with the writes applied. */
  over(rows: readonly InboxNotification[]): readonly InboxNotification[] {
    return this.#writes.reduce((shown, write) => overlaid(shown, write), rows);
  }
}

/** Returns whether a write is in a request. One that was never sent is a request of its own. */
function isOf({ op, sentAs }: PendingWrite, request: string): boolean {
  return (sentAs ?? op) === request;
}

/** Returns two marks as one, or null if they are of different kinds or too many. */
function together(first: Command, second: Command): Command | null {
  if ((first.kind !== 'opened' && first.kind !== 'unopened') || first.kind !== second.kind) {
    return null;
  }
  const ids = [...new Set([...first.ids, ...second.ids])];
  return ids.length > MARKS ? null : { kind: first.kind, ids };
}

function overlaid(rows: readonly InboxNotification[], { command, at }: PendingWrite): readonly InboxNotification[] {
  if (command.kind === 'remove') {
    return rows.filter((row) => row.id !== command.id);
  }
  if (command.kind === 'opened_all') {
    return rows.map((row) => (row.added <= command.through ? withOpened(row, at) : row));
  }
  const ids = new Set(command.ids);
  return rows.map((row) => (ids.has(row.id) ? withOpened(row, command.kind === 'opened' ? at : null) : row));
}
