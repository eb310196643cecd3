// The span in which a handler may use what its call lends it: the room's state, the media file.

export class Lifetime {
  #over: string | undefined;

  constructor(
    readonly callback: string,
    signal: AbortSignal,
  ) {
    if (signal.aborted) this.#over = "after its deadline";
    else signal.addEventListener("abort", () => this.end("after its deadline"), { once: true });
  }

  end(why: string): void {
    this.#over ??= why;
  }

  /** Throws once the call is over. */
  check(what: string): void {
    if (this.#over !== undefined) throw new Error(`${what} of ${this.callback} was used ${this.#over}`);
  }
}
