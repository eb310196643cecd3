/** When a fault was in effect, its recovery included, and what may differ in that time. Times are of Date.now(). */

export interface Window {
  readonly kind: string;
  readonly from: number;
  /** Undefined while it goes on. */
  to?: number;
  /** It harms nobody but the one who caused it: every other answer must stay the same. */
  readonly harmless: boolean;
  /** It was done on purpose, and not found in the log. */
  readonly isInjected: boolean;
}

export class Windows {
  readonly all: Window[] = [];
  #injected: Window | undefined;

  /** For a fault that begins now. */
  open(kind: string, harmless: boolean): Window {
    this.#injected = this.add({ kind, from: Date.now(), harmless, isInjected: true });
    return this.#injected;
  }

  add(window: Window): Window {
    this.all.push(window);
    return window;
  }

  /** The fault that goes on now. */
  current(): Window | undefined {
    return this.#injected?.to === undefined ? this.#injected : undefined;
  }

  /** Those that some part of this time fell into. */
  during(from: number, to: number): readonly Window[] {
    return this.all.filter((window) => window.from <= to && (window.to ?? Number.POSITIVE_INFINITY) >= from);
  }

  mayDiffer(from: number, to: number): boolean {
    return this.during(from, to).some(({ harmless }) => !harmless);
  }

  /** How much of this time had a window in which answers may differ. */
  share(from: number, to: number): number {
    let [covered, until] = [0, from];
    for (const window of this.all.filter(({ harmless }) => !harmless).sort((a, b) => a.from - b.from)) {
      const end = Math.min(window.to ?? to, to);
      covered += Math.max(0, end - Math.max(window.from, until));
      until = Math.max(until, end);
    }
    return covered / (to - from);
  }
}
