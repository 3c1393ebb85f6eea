import type { Inbox } from '../replica/inbox.js';
import { InboxError, type Written } from './types.js';

interface Caller<Of, T> {
  readonly of: Of;
  readonly resolve: (value: T) => void;
  readonly reject: (error: InboxError) => void;
  /** How long it waits for a server that does not answer. */
  deadline: number;
}

/** Calls that wait for what becomes of them. Their callers are told after readers can see it. */
export class Waiting {
  #writes: Caller<readonly string[], Written>[] = [];
  /** Each of so many. */
  #older: Caller<number, void>[] = [];
  #told: (() => void)[] = [];

  write(ops: readonly string[], deadline: number): Promise<Written> {
    return new Promise((resolve, reject) => this.#writes.push({ of: ops, resolve, reject, deadline }));
  }

  older(count: number, deadline: number): Promise<void> {
    return new Promise((resolve, reject) => this.#older.push({ of: count, resolve, reject, deadline }));
  }

  /** When the first of them will not wait any longer. */
  get deadline(): number {
    return Math.min(...this.#all.map((caller) => caller.deadline));
  }

  /** The connection is lost: nobody waits for longer than this. */
  until(deadline: number): void {
    this.#all.forEach((caller) => (caller.deadline = Math.min(caller.deadline, deadline)));
  }

  /** Those whose time is over. Gives how many older notifications nobody waits for any more. */
  expire(now: number): number {
    this.#queued((caller) => caller.deadline <= now);
    return this.#failOlder((caller) => caller.deadline <= now, unavailable());
  }

  /** The server cannot be reached: writes wait for it, and nobody for them. */
  queued(): void {
    this.#queued(() => true);
  }

  #queued(which: (caller: { readonly deadline: number }) => boolean): void {
    this.#writes = without(this.#writes, which, (caller) => this.#told.push(() => caller.resolve('queued')));
  }

  /** Older notifications will not come now. Gives how many nobody waits for any more. */
  olderFailed(error: InboxError): number {
    return this.#failOlder(() => true, error);
  }

  #failOlder(which: (caller: Caller<number, void>) => boolean, error: InboxError): number {
    let given = 0;
    this.#older = without(this.#older, which, (caller) => {
      given += caller.of;
      this.#told.push(() => caller.reject(error));
    });
    return given;
  }

  /** A write was refused: if its caller still waits, it is told. Gives all writes of that call then. */
  refused(op: string, error: InboxError): readonly string[] | undefined {
    let ops: readonly string[] | undefined;
    this.#writes = without(this.#writes, (caller) => caller.of.includes(op), (caller) => {
      ops = caller.of;
      this.#told.push(() => caller.reject(error));
    });
    return ops;
  }

  /** Those for whom everything is there. */
  reached(inbox: Inbox): void {
    if (this.#writes.length > 0) {
      const pending = new Set(inbox.pendingWrites.map((write) => write.op));
      const isDone = (caller: Caller<readonly string[], Written>) => !caller.of.some((op) => pending.has(op));
      this.#writes = without(this.#writes, isDone, (caller) => this.#told.push(() => caller.resolve('stored')));
    }
    if (this.#older.length > 0 && inbox.wants() === null) {
      this.#older = without(this.#older, () => true, (caller) => this.#told.push(() => caller.resolve()));
    }
  }

  /** Nobody waits any more. */
  end(error: InboxError): void {
    this.#writes = without(this.#writes, () => true, (caller) => this.#told.push(() => caller.reject(error)));
    this.olderFailed(error);
    this.tell();
  }

  /** Tells callers what was decided; readers see it by now. */
  tell(): void {
    this.#told.splice(0).forEach((tell) => tell());
  }

  get #all(): Caller<unknown, never>[] {
    return [...this.#writes, ...this.#older] as Caller<unknown, never>[];
  }
}

export function unavailable(): InboxError {
  return new InboxError('unavailable', 'there is no connection');
}

/** Those that it is not; `each` is called with the others. */
function without<T>(all: T[], which: (one: T) => boolean, each: (one: T) => void): T[] {
  const taken = all.filter(which);
  taken.forEach(each);
  return all.filter((one) => !taken.includes(one));
}
