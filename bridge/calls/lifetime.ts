// The span in which a handler may use what its call lends it: the room's state, the media file.

import { ApiError } from "../sdk/errors.js";
import type { Cancellation } from "../transport/cancellation.js";

export class Lifetime {
  #settled = false;

  constructor(
    private readonly callback: string,
    private readonly cancellation: Cancellation,
  ) {}

  /** The handler has settled. */
  end(): void {
    this.#settled = true;
  }

  /** Throws an ApiError once the call is over. */
  check(what: string): void {
    const when = this.#settled ? "after its handler had settled" : "after its deadline";
    if (this.#settled || this.cancellation.requested)
      throw new ApiError(`${what} of ${this.callback} was used ${when}`, what, "call_over");
  }
}
