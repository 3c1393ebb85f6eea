import type { Inbox } from '../../replica/inbox.js';
import { unavailable, type InboxError } from '../error.js';
import type { Written } from '../source.js';

interface Caller<Wanted, T> {
  readonly wanted: Wanted;
  readonly resolve: (value: T) => void;
  readonly reject: (error: InboxError) => void;
  /** When it stops waiting for a server that does not answer. */
  deadline: number;
}

/** The calls that wait for their outcome. Each settles after the outcome was published. */
export class PendingCalls {
  #writes: Caller<readonly string[], Written>[] = [];
  /** Each wants a number of older notifications. */
  #older: Caller<number, void>[] = [];
  #settled: (() => void)[] = [];

  write(ops: readonly string[], deadline: number): Promise<Written> {
    return new Promise((resolve, reject) => this.#writes.push({ wanted: ops, resolve, reject, deadline }));
  }

  older(count: number, deadline: number): Promise<void> {
    return new Promise((resolve, reject) => this.#older.push({ wanted: count, resolve, reject, deadline }));
  }

  /** When the first of them stops waiting. */
  get deadline(): number {
    return Math.min(...this.#all.map((caller) => caller.deadline));
  }

  /** Limits how long the calls wait, after the connection was lost. */
  limit(deadline: number): void {
    this.#all.forEach((caller) => (caller.deadline = Math.min(caller.deadline, deadline)));
  }

  /**
   * Settles the calls whose time is over. Returns how many older notifications are not wanted now.
   */
  expire(now: number): number {
    this.#queueWrites((caller) => caller.deadline <= now);
    return this.#failOlder((caller) => caller.deadline <= now, unavailable());
  }

  /** Settles all writes as queued, when the server cannot be reached. */
  queueWrites(): void {
    this.#queueWrites(() => true);
  }

  #queueWrites(which: (caller: { readonly deadline: number }) => boolean): void {
    this.#writes = without(this.#writes, which, (caller) => this.#settled.push(() => caller.resolve('queued')));
  }

  /** Rejects all `loadOlder` calls. Returns how many older notifications are not wanted now. */
  failOlder(error: InboxError): number {
    return this.#failOlder(() => true, error);
  }

  #failOlder(which: (caller: Caller<number, void>) => boolean, error: InboxError): number {
    let count = 0;
    this.#older = without(this.#older, which, (caller) => {
      count += caller.wanted;
      this.#settled.push(() => caller.reject(error));
    });
    return count;
  }

  /** Rejects the calls that made refused writes, and returns all writes of these calls. */
  refused(refused: readonly string[], error: InboxError): readonly string[] {
    const ops: string[] = [];
    this.#writes = without(this.#writes, (caller) => caller.wanted.some((op) => refused.includes(op)), (caller) => {
      ops.push(...caller.wanted);
      this.#settled.push(() => caller.reject(error));
    });
    return ops;
  }

  /** Resolves the calls whose outcome the inbox contains. */
  resolve(inbox: Inbox): void {
    if (this.#writes.length > 0) {
      const pending = new Set(inbox.pendingWrites.map((write) => write.op));
      const isDone = (caller: Caller<readonly string[], Written>) => !caller.wanted.some((op) => pending.has(op));
      this.#writes = without(this.#writes, isDone, (caller) => this.#settled.push(() => caller.resolve('stored')));
    }
    if (this.#older.length > 0 && inbox.nextQuery() === null) {
      this.#older = without(this.#older, () => true, (caller) => this.#settled.push(() => caller.resolve()));
    }
  }

  /** Rejects all calls at the end of the session. */
  end(error: InboxError): void {
    this.#writes = without(this.#writes, () => true, (caller) => this.#settled.push(() => caller.reject(error)));
    this.failOlder(error);
    this.settle();
  }

  /** Settles the calls whose outcome was decided and has been published. */
  settle(): void {
    this.#settled.splice(0).forEach((settle) => settle());
  }

  get #all(): Caller<unknown, never>[] {
    return [...this.#writes, ...this.#older] as Caller<unknown, never>[];
  }
}

/** Returns those that do not match, and calls `each` with the others. */
function without<T>(all: T[], which: (one: T) => boolean, each: (one: T) => void): T[] {
  const taken = all.filter(which);
  taken.forEach(each);
  return all.filter((one) => !taken.includes(one));
}
