// Finds which modules a recording has, with which versions, and which of them a replay is about.
import { didYouMean } from "../base/nearest.js";
import { printable } from "../base/printable.js";
import type { SynapseInfo } from "../catalogue/protocol.js";
import type { RecordedLine } from "./format.js";
import type { Skipped } from "./reader.js";

/** What a recording has of one module. */
export interface Recorded {
  name: string;
  calls: number;
  from: string;
  to: string;
  synapse: SynapseInfo;
  bridge: Set<string>;
  synapses: Set<string>;
  node: Set<string>;
}

export class Survey {
  #modules = new Map<string, Recorded>();

  add(line: RecordedLine): void {
    if (!("callback" in line)) return;
    const { module: name, at, synapse, versions } = line;
    const sets = { bridge: new Set<string>(), synapses: new Set<string>(), node: new Set<string>() };
    const known = this.#modules.get(name) ?? { name, calls: 0, from: at, to: at, synapse, ...sets };
    this.#modules.set(name, known);
    known.calls++;
    known.to = at;
    known.synapse = synapse;
    known.bridge.add(String(versions.bridge));
    known.synapses.add(String(synapse.version));
    known.node.add(String(versions.node));
  }

  /** Throws an Error if it is not clear. The recorded module that is replaced: the one that was asked for, the one of the same name, or the only one. */
  choose(
    wanted: string | undefined,
    own: string,
    recording: string,
    { torn, unreadable: other }: Skipped,
  ): Recorded {
    const skipped = torn + other;
    const unreadable =
      skipped > 0
        ? `: ${skipped} of its lines are no lines of a recording (each is one JSON object, as \`jq -c\` prints it)`
        : "";
    const names = [...this.#modules.keys()];
    if (names.length === 0) throw new Error(`${recording} has no calls${unreadable}`);
    const only = names.length === 1 ? names[0] : undefined;
    const name = wanted ?? (this.#modules.has(own) ? own : only);
    const found = name === undefined ? undefined : this.#modules.get(name);
    if (found) return found;
    const has = names.map((one) => `${printable(one)} (${this.#modules.get(one)?.calls})`).join(", ");
    throw new Error(
      wanted === undefined
        ? `${recording} has the calls of several modules, and none is called ${own}: choose one with --module: ${has}`
        : `${recording} has no calls of the module ${wanted}${didYouMean(wanted, names.map(printable))}; it has those of ${has}`,
    );
  }
}
