import type { Head, Position } from '../../models/wire.js';
import type { Command, WriteRequest } from '../../replica/overlay.js';
import type { InboxError } from '../error.js';
import { isFinal, isRetryable, Refusal } from '../refusal.js';
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
    const { inbox, writeBackoff, hold } = this.#parts;
    return this.#slot.isFree && inbox.hasUnanswered ? Math.max(hold.until, writeBackoff.next) : Infinity;
  }

  async send(): Promise<void> {
    const { api, inbox, changed } = this.#parts;
    const write = inbox.nextWrite() as WriteRequest;
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

  #onStored(write: WriteRequest, askedAt: Position, head: Head): void {
    const { inbox, writeBackoff, schedule } = this.#parts;
    writeBackoff.answered(write);
    inbox.onWritten(write.op, askedAt, head);
    if (!write.wasAnswered) {
      schedule.hurry();
    }
  }

  #onFailed(write: WriteRequest, askedAt: Position, error: InboxError): void {
    const { inbox, writeBackoff, schedule, hold, calls } = this.#parts;
    if (!isFinal(error)) {
      hold.ask(error.retryAfter);
      if (isRetryable(error)) {
        writeBackoff.failed();
      } else {
        writeBackoff.failedSlowly();
        // A query finds out whether the server refuses everything.
        schedule.checkSoon();
      }
      return calls.queueWrites();
    }
    writeBackoff.isUp();
    this.#onRefused(write, error);
    if (error instanceof Refusal && error.head !== undefined) {
      inbox.onHead(askedAt, error.head);
      schedule.hurry();
    }
    // The history is another one.
    if (error.kind === 'conflict') {
      inbox.catchUp();
    }
  }

  /**
   * Removes the writes of a refused request. If a write's call still waits, the call is rejected
   * and its remaining writes are dropped; otherwise the listeners are notified.
   */
  #onRefused(request: WriteRequest, error: InboxError): void {
    const { inbox, publisher, calls } = this.#parts;
    const awaited = calls.refused(request.ops, error);
    for (const event of inbox.onRefused(request.op)) {
      if (event.kind === 'rolled_back' && !awaited.includes(event.write.op)) {
        publisher.rolledBack({ command: event.write.command, error });
      }
    }
    // Writes that the server has already stored stay.
    const dropped = inbox.pendingWrites.filter(({ op, wasAnswered }) => awaited.includes(op) && !wasAnswered);
    this.#takeBack(dropped.map(({ op }) => op));
  }

  #takeBack(ops: readonly string[]): void {
    ops.forEach((op) => this.#parts.inbox.onRefused(op));
  }
}

function newOp(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
