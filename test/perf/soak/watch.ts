/** Watches the processes of the soak: memory, descriptors, the reactors' pauses, calls that wait, processes left over. */
import { longestPause } from "../../support/pauses.js";
import { descriptorsOf, memoryOf } from "../../support/processes.js";
import { type Metrics, readMetrics } from "./metrics.js";
import { Nodes } from "./nodes.js";
import type { Problems } from "./problems.js";
import { Series } from "./series.js";
import type { Servers } from "./servers.js";
import type { Windows } from "./windows.js";

const SAMPLE_EVERY_MS = 1000;
const METRICS_EVERY_MS = 10_000;
const MINUTE_MS = 60_000;

/** Who had how many bytes. */
export interface Minute {
  readonly bridge: number | undefined;
  readonly twin: number | undefined;
  readonly node: number | undefined;
}

export class Watch {
  readonly memory = { bridge: new Series(), twin: new Series() };
  readonly descriptors = { bridge: new Series(), twin: new Series() };
  readonly inFlight = new Series();
  readonly waiting = new Series();
  readonly queued = new Series();
  /** The longest pause of a reactor: while no fault was injected, and by fault. */
  readonly pauses = { bridge: new Map<string, number>(), twin: new Map<string, number>() };
  readonly nodes: Nodes;
  /** The memory, now and then. */
  readonly minutes: Minute[] = [];
  metrics: Metrics | undefined;
  #timer: NodeJS.Timeout | undefined;
  #busy: Promise<void> = Promise.resolve();
  #metricsAt = 0;
  #minuteAt = 0;

  constructor(
    private readonly servers: Servers,
    private readonly windows: Windows,
    problems: Problems,
  ) {
    this.nodes = new Nodes(servers.bridge.pid, problems);
  }

  async start(): Promise<void> {
    // The pauses until now are those of the start.
    await this.#readPauses();
    this.pauses.bridge.clear();
    this.pauses.twin.clear();
    const again = () => {
      this.#busy = this.sample();
      this.#timer = setTimeout(() => void this.#busy.finally(again), SAMPLE_EVERY_MS);
    };
    again();
  }

  async stop(): Promise<void> {
    await this.#busy;
    clearTimeout(this.#timer);
  }

  async sample(): Promise<void> {
    this.nodes.sample();
    for (const side of ["bridge", "twin"] as const) {
      this.memory[side].add(memoryOf(this.servers[side].pid));
      this.descriptors[side].add(descriptorsOf(this.servers[side].pid));
    }
    if (Date.now() - this.#minuteAt > MINUTE_MS) {
      this.#minuteAt = Date.now();
      const { memory, nodes } = this;
      this.minutes.push({ bridge: memory.bridge.last, twin: memory.twin.last, node: nodes.memory.last });
    }
    await this.#readPauses();
    if (Date.now() - this.#metricsAt > METRICS_EVERY_MS) {
      this.#metricsAt = Date.now();
      await this.readMetrics();
    }
  }

  async readMetrics(): Promise<void> {
    const metrics = await readMetrics(this.servers.bridge.baseUrl).catch(() => undefined);
    if (!metrics) return;
    this.metrics = metrics;
    this.inFlight.add(metrics.inFlight);
    this.waiting.add(metrics.waiting);
    this.queued.add(metrics.queued);
  }

  async #readPauses(): Promise<void> {
    const kind = this.windows.current()?.kind ?? "users alone";
    await Promise.all(
      (["bridge", "twin"] as const).map(async (side) => {
        const longest = await longestPause(this.servers[side].baseUrl);
        if (longest === undefined) return;
        this.pauses[side].set(kind, Math.max(longest, this.pauses[side].get(kind) ?? 0));
      }),
    );
  }
}
