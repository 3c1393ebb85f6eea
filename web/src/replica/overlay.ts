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
  /** The head in the server's answer. Null before the answer, and when it must be sent again. */
  readonly answered: Position | null;
  /** Whether the server has answered at least once. */
  readonly wasAnswered: boolean;
}

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
      this.#writes = [...this.#writes, { op, command, at, answered: null, wasAnswered: false }];
    }
    return hasRoom;
  }

  /** The first write without an answer. */
  get unanswered(): PendingWrite | undefined {
    return this.#writes.find((write) => write.answered === null);
  }

  /** How many writes have no answer. */
  get waiting(): number {
    return this.#writes.filter((write) => write.answered === null).length;
  }

  answered(op: string, head: Position): void {
    this.#writes = this.#writes.map((write) => (write.op === op ? { ...write, answered: head, wasAnswered: true } : write));
  }

  take(op: string): PendingWrite | undefined {
    const taken = this.#writes.find((write) => write.op === op);
    this.#writes = this.#writes.filter((write) => write !== taken);
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
