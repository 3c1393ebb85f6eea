import type { Head, Position } from '../../models/wire.js';
import type { Command, PendingWrite } from '../../replica/overlay.js';
import type { InboxError } from '../error.js';
import { isRetryable, Refusal } from '../refusal.js';
import type { Parts } from './parts.js';
import { RequestSlot } from './requestSlot.js';

/** Sends the user's writes to the server, one at a time, beside the queries. */
export class Writes {
  readonly #parts: Parts;
  readonly #slot = new RequestSlot();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Shows the writes of one call, and returns their ids; null if the queue has no room for all. */
  add(commands: readonly Command[]): readonly string[] | null {
    const at = new Date().toISOString();
    const ops: string[] = [];
    for (const command of commands) {
      const op = newOp();
      if (!this.#parts.inbox.write(op, command, at)) {
        this.#takeBack(ops);
        return null;
      }
      ops.push(op);
    }
    return ops;
  }

  /** When to send the next write; never while one is pending, or none waits. */
  get next(): number {
    const { inbox, writeBackoff } = this.#parts;
    return this.#slot.isFree && inbox.nextWrite() !== undefined ? writeBackoff.next : Infinity;
  }

  async send(): Promise<void> {
    const { api, inbox, changed } = this.#parts;
    const write = inbox.nextWrite() as PendingWrite;
    const askedAt = inbox.head;
    await this.#slot.send(
      (signal) => api.write(write, signal),
      (head) => this.#onStored(write, askedAt, head),
      (error) => this.#onFailed(write, askedAt, error),
    );
    changed();
  }

  cancel(): void {
    this.#slot.cancel();
  }

  #onStored(write: PendingWrite, askedAt: Position, head: Head): void {
    const { inbox, writeBackoff, schedule } = this.#parts;
    writeBackoff.answered(write);
    inbox.onWritten(write.op, askedAt, head);
    if (!write.wasAnswered) {
      schedule.hurry();
    }
  }

  #onFailed(write: PendingWrite, askedAt: Position, error: InboxError): void {
    const { inbox, writeBackoff, schedule, calls } = this.#parts;
    if (isRetryable(error)) {
      writeBackoff.failed();
      return calls.queueWrites();
    }
    writeBackoff.isUp();
    this.#onRefused(write, error);
    if (error instanceof Refusal && error.head !== undefined) {
      inbox.onHead(askedAt, error.head);
      schedule.hurry();
    }
    // The history is another one, or it is unknown what the server did.
    if (error.kind === 'conflict' || error.kind === 'protocol') {
      inbox.catchUp();
    }
  }

  /**
   * Removes a refused write. If its call still waits, the call is rejected and its remaining writes
   * are dropped; otherwise the listeners are notified.
   */
  #onRefused(write: PendingWrite, error: InboxError): void {
    const { inbox, publisher, calls } = this.#parts;
    const ops = calls.refused(write.op, error);
    if (ops === undefined) {
      return inbox.onRefused(write.op).forEach(() => publisher.rolledBack({ command: write.command, error }));
    }
    // Writes that the server has already stored stay.
    const dropped = inbox.pendingWrites.filter(({ op, wasAnswered }) => ops.includes(op) && (op === write.op || !wasAnswered));
    this.#takeBack(dropped.map(({ op }) => op));
  }

  #takeBack(ops: readonly string[]): void {
    ops.forEach((op) => this.#parts.inbox.onRefused(op));
  }
}

function newOp(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
