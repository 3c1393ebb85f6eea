/**
 * A set of listeners. One that throws does not keep the others from being called, and one that was
 * removed meanwhile is not called.
 */
export class Listeners<T> {
  readonly #all = new Set<{ readonly call: (value: T) => void }>();

  /** Adds a listener. Returns a function that removes it. */
  add(call: (value: T) => void): () => void {
    const listener = { call };
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  notify(value: T): void {
    for (const listener of [...this.#all]) {
      if (!this.#all.has(listener)) {
        continue;
      }
      try {
        listener.call(value);
      } catch (error) {
        console.error(error);
      }
    }
  }
}
