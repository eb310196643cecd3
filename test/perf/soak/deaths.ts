/** When Node, or a thread of it, has ended, and when modules decided again, as the log tells. */
import type { Decision } from "./decisions.js";
import type { LogLine } from "./log.js";
import type { Problems } from "./problems.js";
import type { Window, Windows } from "./windows.js";

export interface Death {
  readonly of: "Node" | "a thread";
  readonly cause: string;
  readonly at: number;
  /** When the next decision of a module came. */
  judgedAt?: number;
}

// Synapse takes a while to write a line, and a request has a way to go.
const BEFORE_MS = 300;
// A loop that is blocked, a process that is stopped or runs out of memory, answers nothing for so long before its end.
const SLOW_END_MS = 6000;
const slowEnds = /event loop|did not answer|memory/;
// What waited meanwhile may wait until its deadline: the suspects are asked one after the other.
const AFTER_MS = 6000;
// Without an answer of a module for so long, something is wrong.
const MOST_UNJUDGED_MS = 15_000;

const nodeEnded = /^the module host ended \((.*?)\)(?:, running|, nothing was|; it is)/;
const threadEnded = /^the thread of (.+?) has ended \((.*)\)/;
const nodeIsBack = /^the module host is back after/;

export class Deaths {
  readonly all: Death[] = [];
  #outage: Window | undefined;
  #unjudged: Death[] = [];

  constructor(
    private readonly windows: Windows,
    private readonly problems: Problems,
  ) {}

  readonly take = (_: string, parsed: LogLine | undefined): void => {
    if (!parsed?.logger.startsWith("synapse_module_bridge.")) return;
    const { at, text } = parsed;
    const [, endOfNode] = nodeEnded.exec(text) ?? [];
    const [, , endOfThread] = threadEnded.exec(text) ?? [];
    if (endOfNode !== undefined) {
      this.#outage = this.#died("Node", endOfNode, at);
    } else if (endOfThread !== undefined) {
      this.#died("a thread", endOfThread, at).to = at + AFTER_MS;
    } else if (nodeIsBack.test(text) && this.#outage) {
      this.#outage.to = at + AFTER_MS;
      this.#outage = undefined;
    }
  };

  /** A module has decided. */
  readonly judged = ({ at }: Decision): void => {
    for (const death of this.#unjudged) {
      if (at < death.at) return;
      death.judgedAt = at;
      const took = at - death.at;
      if (took > MOST_UNJUDGED_MS) {
        this.problems.add("judged again late", `${took} ms after an end of ${death.of} (${death.cause})`);
      }
    }
    this.#unjudged = [];
  };

  get unjudged(): number {
    return this.#unjudged.length;
  }

  #died(of: Death["of"], cause: string, at: number): Window {
    // An outage that has not ended goes on in the next.
    if (of === "Node" && this.#outage) this.#outage.to = at + AFTER_MS;
    const death = { of, cause, at };
    this.all.push(death);
    this.#unjudged.push(death);
    const from = at - (slowEnds.test(cause) ? SLOW_END_MS : BEFORE_MS);
    return this.windows.add({ kind: `end of ${of}`, from, harmless: false, isInjected: false });
  }
}
