import type { Command, InboxNotification, Timestamp } from '../client/types.js';
import type { Position } from '../models/wire.js';
import { withOpened } from './window.js';

/** A write of the user's own that the replica does not have yet. */
export interface PendingWrite {
  /** Its id: a repeat does nothing. */
  readonly op: string;
  readonly command: Command;
  /** When the user did it; shown as the time of opening until the server's is there. */
  readonly at: Timestamp;
  /** The head that the server answered; null while it has not, or when it is to be sent again. */
  readonly answered: Position | null;
  /** Whether the server has answered it at least once. */
  readonly wasAnswered: boolean;
}

/** The most writes that wait for the server. */
const WAITING = 500;

/** The most writes, with those that the server has and the replica does not: while nothing comes in, they stay. */
const MOST = 10 * WAITING;

/** The writes that are shown and not yet in the replica, in order. */
export class Overlay {
  #writes: readonly PendingWrite[] = [];

  get writes(): readonly PendingWrite[] {
    return this.#writes;
  }

  /** Adds a write; false when there is no room. */
  push(op: string, command: Command, at: Timestamp): boolean {
    const hasRoom = this.#writes.length < MOST && this.waiting < WAITING;
    if (hasRoom) {
      this.#writes = [...this.#writes, { op, command, at, answered: null, wasAnswered: false }];
    }
    return hasRoom;
  }

  /** The first that the server has not answered. */
  get unanswered(): PendingWrite | undefined {
    return this.#writes.find((write) => write.answered === null);
  }

  /** How many the server has not answered. */
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

  /** Drops what the replica has: it passed the very position that the server answered. */
  passed(holds: (position: Position) => boolean): void {
    if (this.#writes.length > 0) {
      this.#writes = this.#writes.filter((write) => write.answered === null || !holds(write.answered));
    }
  }

  /** What the server answered of a history that the replica does not have is to be sent again. */
  sendAgain(): void {
    this.#writes = this.#writes.map((write) => ({ ...write, answered: null }));
  }

  /** Rows as they are shown. */
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
