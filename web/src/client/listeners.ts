/** Who is told of something. One that throws keeps nobody else from it; one that was taken out meanwhile is not told. */
export class Listeners<T> {
  readonly #all = new Set<{ readonly tell: (value: T) => void }>();

  /** Gives a function that takes it out again. */
  add(tell: (value: T) => void): () => void {
    const listener = { tell };
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  tell(value: T): void {
    for (const listener of [...this.#all]) {
      if (!this.#all.has(listener)) {
        continue;
      }
      try {
        listener.tell(value);
      } catch (error) {
        console.error(error);
      }
    }
  }
}
