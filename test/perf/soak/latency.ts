/** How long requests took, per minute of the run. */

export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export class Latency {
  readonly #minutes: number[][] = [];
  #began = 0;

  add(ms: number): void {
    this.#began ||= Date.now();
    const minute = Math.floor((Date.now() - this.#began) / 60_000);
    this.#minutes[minute] ??= [];
    this.#minutes[minute].push(ms);
  }

  perMinute(): readonly Percentiles[] {
    return Array.from(this.#minutes, (times) => percentiles(times ?? []));
  }

  overall(): Percentiles {
    return percentiles(this.#minutes.flat());
  }
}

function percentiles(times: readonly number[]): Percentiles {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}
