import { changesAnswer, inboxPage, liveEvent } from '../../src/models/answers.js';
import { WireError } from '../../src/models/read.js';
import { Inbox, type Query, type InboxEvent } from '../../src/replica/inbox.js';
import type { Command, WriteRequest } from '../../src/replica/overlay.js';
import { change, ids, live, page, pointOf, position, seconds, time, type Raw } from './expand.js';

/** A replica, on which the steps of a case are performed. */
export class Runner {
  readonly #inbox: Inbox;
  unreadable = false;

  constructor(window: number) {
    this.#inbox = new Inbox(window);
  }

  /** Returns the state in the form of a `then`. */
  state(): Raw {
    const inbox = this.#inbox;
    const star = (id: string, has: boolean) => (has ? `${id}*` : id);
    return {
      shown: inbox.shown().map((row) => star(row.id, row.opened)).join(' '),
      pending: inbox.head.pending,
      head: pointOf(inbox.head),
      low: inbox.low,
      next_query: describedQuery(inbox.nextQuery()),
      writes: inbox.pendingWrites.map((write) => star(write.op, write.answered !== null)).join(' '),
    };
  }

  openedAt(id: string): number | null {
    const row = this.#inbox.shown().find((shown) => shown.id === id);
    if (row === undefined) {
      throw new Error(`not shown: ${id}`);
    }
    return typeof row.opened_at === 'string' ? seconds(row.opened_at) : null;
  }

  nextWrite(): string | null {
    const write = this.#inbox.nextWrite();
    return write === undefined ? null : sent(write);
  }

  /** Performs a step, and returns what happened. */
  step(step: Raw): string[] {
    this.unreadable = false;
    return this.#act(step).map(described);
  }

  #act(step: Raw): (InboxEvent | string)[] {
    const inbox = this.#inbox;
    const at = inbox.head;
    const asked = (key: string) => (step[key] === undefined ? at : position(step[key]));
    if (step['live'] !== undefined) {
      return this.#read(() => liveEvent(live(step['live'])), (event) => inbox.onLive(event), () => inbox.catchUp());
    }
    if (step['snapshot'] !== undefined) {
      return inbox.onSnapshot(inboxPage(page(step['snapshot'])));
    }
    if (step['changes'] !== undefined) {
      const answer = { kind: 'changes', changes: step['changes'].map(change), more: step['more'] ?? false };
      return inbox.onChanges(asked('after'), changesAnswer(answer));
    }
    if (step['reset'] !== undefined) {
      const answer = { kind: 'reset', reason: step['reset'], snapshot: page(step['page']) };
      return inbox.onChanges(asked('after'), changesAnswer(answer));
    }
    if (step['older'] !== undefined) {
      inbox.onOlder(asked('asked_at'), step['before'] ?? inbox.low, inboxPage(page(step['older'])));
      return [];
    }
    if (step['written'] !== undefined) {
      inbox.onWritten(step['written'], asked('asked_at'), { ...position(step['head']), pending: 0 });
      return [];
    }
    if (step['head'] !== undefined) {
      inbox.onHead(asked('asked_at'), { ...position(step['head']), pending: 0 });
      return [];
    }
    if (step['catch_up'] !== undefined) {
      inbox.catchUp();
      return [];
    }
    if (step['write'] !== undefined) {
      return inbox.write(step['write'], command(step), time(1000)) ? [] : ['queue full'];
    }
    if (step['refused'] !== undefined) {
      return inbox.onRefused(step['refused']);
    }
    if (step['load_older'] !== undefined) {
      const more = inbox.loadOlder(step['load_older']);
      return [more === null ? 'window full' : `grew ${more}`];
    }
    if (step['cancel_older'] !== undefined) {
      inbox.giveUpOlder(step['cancel_older']);
      return [];
    }
    if (step['answer'] !== undefined) {
      return this.#onAnswer(step['answer']);
    }
    throw new Error(`unknown step: ${JSON.stringify(step)}`);
  }

  #onAnswer(answer: unknown): (InboxEvent | string)[] {
    const inbox = this.#inbox;
    const ask = inbox.nextQuery();
    switch (ask?.kind) {
      case 'snapshot':
        return this.#read(() => inboxPage(answer), (read) => inbox.onSnapshot(read));
      case 'changes':
        return this.#read(() => changesAnswer(answer), (read) => inbox.onChanges(ask.after, read));
      case 'older':
        return this.#read(() => inboxPage(answer), (read) => (inbox.onOlder(inbox.head, ask.before, read), []));
      default:
        throw new Error('the replica wants nothing');
    }
  }

  #read<T>(read: () => T, then: (value: T) => InboxEvent[], otherwise: () => void = () => {}): InboxEvent[] {
    let value: T;
    try {
      value = read();
    } catch (error) {
      if (!(error instanceof WireError)) {
        throw error;
      }
      this.unreadable = true;
      otherwise();
      return [];
    }
    return then(value);
  }
}

function describedQuery(ask: Query | null): string | null {
  switch (ask?.kind) {
    case 'changes':
      return `changes ${pointOf(ask.after)}`;
    case 'older':
      return `older ${ask.before} limit ${ask.limit}`;
    default:
      return ask?.kind ?? null;
  }
}

function command(step: Raw): Command {
  if (step['remove'] !== undefined) {
    return { kind: 'remove', id: step['remove'] };
  }
  if (step['opened_all'] !== undefined) {
    const { seq, tag } = position(step['opened_all']);
    return { kind: 'opened_all', through: seq, tag };
  }
  const kind = step['opened'] === undefined ? 'unopened' : 'opened';
  return { kind, ids: ids(step[kind]) };
}

function sent({ op, command }: WriteRequest): string {
  switch (command.kind) {
    case 'remove':
      return `${op} remove ${command.id}`;
    case 'opened_all':
      return `${op} opened_all ${pointOf({ seq: command.through, tag: command.tag })}`;
    default:
      return `${op} ${command.kind} ${command.ids.join(' ')}`;
  }
}

function described(event: InboxEvent | string): string {
  if (typeof event === 'string') {
    return event;
  }
  switch (event.kind) {
    case 'applied':
      return `applied ${pointOf(event.change)}`;
    case 'replaced':
      return event.reason === null ? 'replaced' : `replaced ${event.reason}`;
    case 'rolled_back':
      return `rolled back ${event.write.op}`;
    case 'announce': {
      const { announcement } = event;
      switch (announcement.kind) {
        case 'notification':
          return `announce ${announcement.notification.id}`;
        case 'bare':
          return `bare ${announcement.notification.id ?? '-'}`;
        default:
          return 'skipped';
      }
    }
  }
}
