/** When a fault was in effect, its recovery included, and what may differ in that time. Times are of Date.now(). */

export interface Window {
  readonly kind: string;
  readonly from: number;
  /** Undefined while it goes on. */
  to?: number;
  /** It harms nobody but the one who caused it: every other answer must stay the same. */
  readonly harmless: boolean;
}

export class Windows {
  readonly all: Window[] = [];

  open(kind: string, harmless: boolean): Window {
    const window: Window = { kind, from: Date.now(), harmless };
    this.all.push(window);
    return window;
  }

  /** The one that goes on now. */
  current(): Window | undefined {
    const last = this.all.at(-1);
    return last && last.to === undefined ? last : undefined;
  }

  /** Those that some part of this time fell into. */
  during(from: number, to: number): readonly Window[] {
    return this.all.filter((window) => window.from <= to && (window.to ?? Number.POSITIVE_INFINITY) >= from);
  }

  mayDiffer(from: number, to: number): boolean {
    return this.during(from, to).some(({ harmless }) => !harmless);
  }
}
