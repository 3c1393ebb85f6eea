/** Who is told of something. One that throws keeps nobody else from it. */
export class Listeners<T> {
  readonly #all = new Set<{ readonly tell: (value: T) => void }>();

  /** Gives a function that takes it out again. */
  add(tell: (value: T) => void): () => void {
    const listener = { tell };
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  tell(value: T): void {
    for (const { tell } of [...this.#all]) {
      try {
        tell(value);
      } catch (error) {
        console.error(error);
      }
    }
  }
}
