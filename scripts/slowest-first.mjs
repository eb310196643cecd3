// The order in which jest starts test files: the slowest first, since one that is started last keeps the others waiting. Jest
// itself knows what takes long only where it has run before, so not in CI.
import { statSync } from "node:fs";

// All that took more than 30 seconds, the longest first; the others go by the size of their files.
const SLOWEST = [
  "synapse/faults/policies",
  "synapse/differential/differential",
  "synapse/faults/crash-attack",
  "unit/bridge/threads/threads",
  "unit/bridge/command/replay",
  "synapse/kit/dev",
  "synapse/features/modes",
  "synapse/faults/threads",
  "unit/bridge/command/subprocess",
  "unit/bridge/threads/held-threads",
  "unit/bridge/threads/thread-apart",
  "synapse/ports/email-account-validity",
  "synapse/features/storage",
  "synapse/features/reentrancy",
  "synapse/faults/leaving",
  "synapse/faults/shutdown",
  "unit/bridge/testing/synapse/installation",
  "unit/bridge/command/call",
  "unit/bridge/command/check-options",
  "unit/bridge/testing/file",
  "synapse/faults/shadow",
  "synapse/faults/startup",
  "unit/bridge/host/serve",
  "unit/bridge/command/check-spoilers",
];

const rank = ({ path }) => {
  const found = SLOWEST.findIndex((name) => path.endsWith(`/test/${name}.test.ts`));
  return found === -1 ? SLOWEST.length : found;
};
const size = ({ path }) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

export default class SlowestFirst {
  sort(tests) {
    return [...tests].sort((one, other) => rank(one) - rank(other) || size(other) - size(one));
  }

  /** For --onlyFailures: nothing is kept of earlier runs. */
  allFailedTests(tests) {
    return tests;
  }

  shard(tests) {
    return tests;
  }

  cacheResults() {}
}
