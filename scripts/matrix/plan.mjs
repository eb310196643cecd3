// Says which parts the matrix has: a Synapse, with a Python, a Node and a reactor, and how many rows of the comparison.
import { OLDEST_SYNAPSE } from "../../dist/base/releases.js";
import { NEWEST_TESTED, PYTHONS, pythonsFor } from "../../dist/testing/synapse/releases.js";
import { nodes } from "../nodes.mjs";
import { pythonOf } from "./pythons.mjs";

/** The latest patch of each. */
export const SYNAPSES = [
  OLDEST_SYNAPSE,
  ...["1.110.0", "1.120.2", "1.130.0", "1.140.0", "1.150.0", "1.155.0", "1.160.0"],
  NEWEST_TESTED,
];
/** What .ci/run takes beside the newest, which `npm test` compares. */
export const SOME = [OLDEST_SYNAPSE, "1.130.0"];

const running = process.versions.node.split(".")[0];

/** The Python of this machine on which the kit would install this Synapse. */
const preferred = (version) => pythonsFor(version).find(pythonOf) ?? PYTHONS[0];

/**
 * All rows on each Synapse, with the Python that the kit prefers; and a few with the other Pythons of this machine on the
 * oldest and the newest, and with the other Nodes and the other reactor on the newest.
 */
export function wholePlan() {
  const on = (synapse, more) => ({
    synapse,
    python: preferred(synapse),
    node: running,
    rows: "all",
    ...more,
  });
  return [
    ...SYNAPSES.map((synapse) => on(synapse)),
    ...[OLDEST_SYNAPSE, NEWEST_TESTED].flatMap((synapse) =>
      pythonsFor(synapse)
        .filter((release) => release !== preferred(synapse) && pythonOf(release))
        .sort()
        .map((release) => on(synapse, { python: release, rows: "few" })),
    ),
    ...nodes.map(({ line }) => on(NEWEST_TESTED, { node: String(line), rows: "few" })),
    on(NEWEST_TESTED, { asyncio: true, rows: "few" }),
  ];
}

/** One part for each Synapse that is named. */
export function chosenPlan({ synapse, python, node = running, asyncio = false, rows = "all" }) {
  return (synapse ?? NEWEST_TESTED)
    .split(",")
    .map((version) => ({ synapse: version, python: python ?? preferred(version), node, asyncio, rows }));
}
