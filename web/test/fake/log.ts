import type { Raw } from '../cases/expand.js';

/**
 * One inbox of a server, with the rules of `InboxLog` in Rust. Commands and changes are wire JSON.
 */
export class FakeLog {
  rows: Raw[] = [];
  changes: Raw[] = [];
  head: Raw = { seq: 0, tag: null, pending: 0 };
  ops = new Set<string>();
  floor = 0;
  static #tags = 0;

  copy(): FakeLog {
    return Object.assign(new FakeLog(), structuredClone({ rows: this.rows, changes: this.changes, head: this.head, floor: this.floor }), { ops: new Set(this.ops) });
  }

  add(id: string): Raw {
    const added = this.head['seq'] + 1;
    const at = stamp();
    const row = { id, heading: null, content: `text of ${id}`, payload: null, image_url: null, send_after: null, opened: false, buttons: [], created_at: at, opened_at: null, sender: 'key:fake', added };
    this.rows.push(row);
    return this.#record({ kind: 'added', notification: { ...row } }, at);
  }

  /**
   * Executes a command. Returns its change, null if it changes nothing, or the status of a refusal.
   */
  write(command: Raw, op?: string): Raw | number | null {
    if (op !== undefined && this.ops.has(op)) {
      return null;
    }
    const at = stamp();
    const change = this.#apply(command, at);
    if (op !== undefined && typeof change === 'object' && change !== null) {
      this.ops.add(op);
    }
    return change;
  }

  #apply({ kind, ids = [], through, tag }: Raw, at: string): Raw | number | null {
    switch (kind) {
      case 'opened':
      case 'unopened': {
        const opened = kind === 'opened';
        const marked = this.rows.filter((row) => ids.includes(row['id']) && row['opened'] !== opened);
        marked.forEach((row) => Object.assign(row, { opened, opened_at: opened ? at : null }));
        return marked.length === 0 ? null : this.#record({ kind, ids: marked.map((row) => row['id']) }, at);
      }
      case 'opened_all': {
        if (through > this.head['seq'] || this.#tagAt(through) !== tag) {
          return 409;
        }
        const marked = this.rows.filter((row) => row['added'] <= through && !row['opened']);
        marked.forEach((row) => Object.assign(row, { opened: true, opened_at: at }));
        return marked.length === 0 ? null : this.#record({ kind, through }, at);
      }
      default: {
        const there = this.rows.filter((row) => ids.includes(row['id']));
        this.rows = this.rows.filter((row) => !there.includes(row));
        return there.length === 0 ? 404 : this.#record({ kind: 'removed', ids, reason: 'user' }, at);
      }
    }
  }

  page(limit: number, before: number | null): Raw {
    const below = this.rows.filter((row) => before === null || row['added'] < before).reverse();
    const notifications = structuredClone(below.slice(0, limit));
    return { ...this.head, notifications, next: below.length > limit ? notifications.at(-1)?.['added'] : null };
  }

  answer(after: number, tag: string | null, limit: number): Raw {
    const reason = after > this.head['seq'] ? 'diverged' : after < this.floor ? 'trimmed' : this.#tagAt(after) !== tag ? 'diverged' : null;
    if (reason !== null) {
      return { kind: 'reset', reason, snapshot: this.page(200, null) };
    }
    const changes = this.changes.filter((change) => change['seq'] > after).slice(0, limit).map((change) => this.#asAnswered(change));
    return { kind: 'changes', changes, more: after + changes.length < this.head['seq'] };
  }

  trim(): void {
    this.floor = this.head['seq'];
    this.changes = [];
  }

  #tagAt(seq: number): string | null | undefined {
    return seq === this.head['seq'] ? this.head['tag'] : this.changes.find((change) => change['seq'] === seq + 1)?.['prev'];
  }

  #asAnswered(change: Raw): Raw {
    const id = change['notification']?.id;
    const isGone = change['kind'] === 'added' && !this.rows.some((row) => row['id'] === id);
    return structuredClone(isGone ? { ...change, gone: true, notification: { id } } : change);
  }

  #record(kind: Raw, at: string): Raw {
    FakeLog.#tags += 1;
    const tag = FakeLog.#tags.toString(16).padStart(16, '0');
    const pending = this.rows.filter((row) => !row['opened']).length;
    const change = { seq: this.head['seq'] + 1, tag, prev: this.head['tag'], pending, at, ...kind };
    this.head = { seq: change.seq, tag, pending };
    this.changes.push(change);
    return structuredClone(change);
  }
}

function stamp(): string {
  return new Date().toISOString();
}

/** Returns the name and `data` of the live event of a change. */
export function eventOf({ seq, tag, prev, pending, at, ...kind }: Raw): { name: string; data: Raw } {
  const inbox = { seq, tag, prev, pending, at };
  return kind['kind'] === 'added'
    ? { name: 'internal-notification', data: { ...kind['notification'], inbox } }
    : { name: 'internal-notifications-changed', data: { ...kind, inbox } };
}
