import type { Account } from './fragment.js';

/** The fields of the form. */
export interface Draft {
  readonly to: string;
  readonly heading: string;
  readonly content: string;
  readonly image: string;
  readonly path: string;
  readonly button: string;
}

/** Pushes a notification as the user. Throws an `Error` whose message is for people. */
export async function push(from: Account, draft: Draft, id: string): Promise<void> {
  const { to, heading, content, image, path, button } = draft;
  const notification = {
    id,
    content,
    ...(heading && { heading }),
    ...(image && { image_url: image }),
    ...(path && { payload: { path } }),
    ...(button && { buttons: [{ id: 'pressed', text: button }] }),
  };
  const response = await fetch(new URL('v1/notifications', location.href), {
    method: 'POST',
    headers: { authorization: `Bearer ${from.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ user_ids: [to], notification }),
  });
  if (!response.ok) {
    const problem: unknown = await response.json().catch(() => null);
    const { title, detail } = typeof problem === 'object' && problem ? (problem as Record<string, unknown>) : {};
    throw new Error([title, detail].filter((text) => typeof text === 'string').join(': ') || `HTTP ${response.status}`);
  }
}

/** Returns a random UUID (version 4). `crypto.randomUUID` is missing on plain HTTP. */
export function newId(): string {
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
  const versioned = bytes.map((byte, at) => (at === 6 ? (byte & 0x0f) | 0x40 : at === 8 ? (byte & 0x3f) | 0x80 : byte));
  const hex = versioned.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
