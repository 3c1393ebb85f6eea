/** Expands the short forms of tests/inbox-cases to wire JSON. */

export type Raw = Record<string, any>;

export function tagOf(point: string): string | null {
  const match = /^(\d+)([a-f])?$/.exec(point);
  if (match === null) {
    throw new Error(`not a point: ${point}`);
  }
  const seq = Number(match[1]);
  return seq === 0 ? null : (match[2] ?? 'a') + seq.toString(16).padStart(15, '0');
}

export function position(point: string): { seq: number; tag: string | null } {
  return { seq: Number.parseInt(point, 10), tag: tagOf(point) };
}

export function pointOf({ seq, tag }: { seq: number; tag: string | null }): string {
  const history = tag?.[0] ?? 'a';
  const point = `${seq}${history === 'a' ? '' : history}`;
  if (tagOf(point) !== tag) {
    throw new Error(`not a tag of these cases: ${tag}`);
  }
  return point;
}

export function time(seconds: number): string {
  return new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
}

export function seconds(time: string): number {
  return (Date.parse(time) - Date.UTC(2026, 0, 1)) / 1000;
}

export function ids(text: string): string[] {
  return text.split(' ').filter((id) => id !== '');
}

function row(text: string, seq = NaN): Raw {
  const match = /^([^@+*]+)(?:@(\d+))?(?:\+(\d+))?(\*)?$/.exec(text);
  if (match === null) {
    throw new Error(`not a row: ${text}`);
  }
  const added = match[2] === undefined ? seq : Number(match[2]);
  const created_at = time(match[3] === undefined ? added : Number(match[3]));
  const opened = match[4] !== undefined;
  return {
    id: match[1],
    heading: null,
    content: `text of ${match[1]}`,
    payload: null,
    image_url: null,
    send_after: null,
    opened,
    buttons: [],
    created_at,
    opened_at: opened ? created_at : null,
    sender: 'key:cases',
    added,
  };
}

export function page(short: Raw): Raw {
  return {
    ...position(short['head']),
    pending: Number(short['pending']),
    notifications: ids(short['rows']).map((text) => row(text)),
    next: short['next'] ?? null,
  };
}

function stamp(short: Raw): Raw {
  const { seq, tag } = position(short['seq']);
  const prev = short['prev'] ?? `${seq - 1}${/[a-f]/.exec(short['seq'])?.[0] ?? ''}`;
  return { seq, tag, prev: tagOf(prev), pending: Number(short['pending']), at: time(short['at'] ?? seq) };
}

function kind(short: Raw): Raw {
  const { seq } = position(short['seq']);
  const is = (name: string) => short[name] !== undefined;
  if (is('added')) {
    return { kind: 'added', notification: row(short['added'], seq) };
  }
  if (is('gone')) {
    return { kind: 'added', gone: true, notification: { id: short['gone'] } };
  }
  if (is('opened_all')) {
    return { kind: 'opened_all', through: Number(short['opened_all']) };
  }
  if (is('unknown')) {
    return { kind: 'snoozed', until: 7 };
  }
  for (const name of ['opened', 'unopened', 'removed']) {
    if (is(name)) {
      const reason = name === 'removed' ? { reason: short['reason'] ?? 'user' } : {};
      return { kind: name, ids: ids(short[name]), ...reason };
    }
  }
  throw new Error(`not a change: ${JSON.stringify(short)}`);
}

export function change(short: Raw): Raw {
  return { ...stamp(short), ...kind(short) };
}

/** Returns the `data` of a live event. */
export function live(short: Raw): Raw {
  if (short['raw'] !== undefined) {
    return short['raw'];
  }
  if (short['bare'] !== undefined) {
    return short['bare'];
  }
  if (short['thin'] !== undefined) {
    return { truncated: true, inbox: stamp({ seq: short['thin'], pending: 0 }) };
  }
  const what = kind(short);
  const inbox = stamp(short);
  if (what['gone'] === true) {
    throw new Error('a gone change has no live event but a thin one');
  }
  return what['kind'] === 'added' ? { ...what['notification'], inbox } : { ...what, inbox };
}

/** Returns a step for each number of its `for`, or the step itself. */
export function repeated(step: Raw): Raw[] {
  if (step['for'] === undefined) {
    return [step];
  }
  const [from, to] = step['for'] as [number, number];
  const text = JSON.stringify(step);
  return Array.from({ length: to - from + 1 }, (_, index) => JSON.parse(text.replaceAll('#', String(from + index))));
}
