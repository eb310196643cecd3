// Lifetime: the span in which a handler may use the room's state or the media file of its call.

import { ApiError } from "../sdk/errors.js";
import type { Cancellation } from "../transport/cancellation.js";

export class Lifetime {
  #settled = false;

  constructor(
    private readonly callback: string,
    private readonly cancellation: Cancellation,
  ) {}

  /** Ends the lifetime: the handler has settled. */
  end(): void {
    this.#settled = true;
  }

  /** Throws an ApiError if the lifetime has ended. */
  check(what: string): void {
    const when = this.#settled ? "after its handler had settled" : "after its deadline";
    if (this.#settled || this.cancellation.requested)
      throw new ApiError(`${what} of ${this.callback} was used ${when}`, what, "call_over");
  }
}
