import type { InboxError } from '../error.js';
import { asInboxError } from '../refusal.js';

/** Sends one request at a time. The outcome of a cancelled request is ignored. */
export class RequestSlot {
  #pending: AbortController | null = null;

  get isFree(): boolean {
    return this.#pending === null;
  }

  async send<T>(
    request: (signal: AbortSignal) => Promise<T>,
    succeeded: (answer: T) => void,
    failed: (error: InboxError) => void,
  ): Promise<void> {
    const pending = new AbortController();
    this.#pending = pending;
    const settle = (act: () => void) => {
      if (this.#pending === pending) {
        this.#pending = null;
        act();
      }
    };
    try {
      const answer = await request(pending.signal);
      settle(() => succeeded(answer));
    } catch (error) {
      settle(() => failed(asInboxError(error)));
    }
  }

  cancel(): void {
    this.#pending?.abort();
    this.#pending = null;
  }
}
