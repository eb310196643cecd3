/** All that the log of Synapse with the bridge tells, put together with what the clients saw. */
import { Deaths } from "./deaths.js";
import { Decisions } from "./decisions.js";
import { isHostile, isKiller } from "./killers.js";
import { Latency } from "./latency.js";
import { Log } from "./log.js";
import type { Problems } from "./problems.js";
import { Reloads } from "./reloads.js";
import { AllSetAside } from "./set-aside.js";
import { Verdicts } from "./verdicts.js";
import { Windows } from "./windows.js";

export class Seen {
  readonly windows = new Windows();
  readonly reloads = new Reloads();
  readonly latency = { bridge: new Latency(), twin: new Latency() };
  readonly deaths: Deaths;
  readonly setAside: AllSetAside;
  readonly decisions: Decisions;
  readonly verdicts: Verdicts;
  readonly #log: Log;

  constructor(
    logPath: string,
    readonly problems: Problems,
  ) {
    const { windows, latency } = this;
    this.deaths = new Deaths(windows, problems);
    this.setAside = new AllSetAside(this.reloads, isKiller, problems);
    this.decisions = new Decisions(this.deaths.judged);
    this.verdicts = new Verdicts({ windows, decisions: this.decisions, problems, latency, isHostile });
    const takers = [this.reloads, this.deaths, this.setAside, this.decisions];
    this.#log = new Log(
      logPath,
      takers.map(({ take }) => take),
    );
  }

  get forFaults() {
    const { windows, deaths, reloads, setAside, problems } = this;
    return { windows, deaths, reloads, setAside, problems };
  }

  async settle(): Promise<void> {
    await this.#log.read();
    this.verdicts.settle();
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}

/** Those in the log of a server, by their cause. */
export async function tracebacksOf(logPath: string): Promise<ReadonlyMap<string, number>> {
  const decisions = new Decisions();
  const log = new Log(logPath, [decisions.take]);
  await log.read();
  await log.close();
  return decisions.tracebacks;
}
