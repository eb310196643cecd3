// Run by a Node of its own: loads the modules of each line on standard input, calls what they have for user_may_invite,
// and prints what came of it as a line.
import { createInterface } from "node:readline";
import { catalogue } from "../../../bridge/catalogue/catalogue.js";
import { loadModules } from "../../../bridge/loading/loader.js";
import { Snapshot } from "../../../bridge/loading/snapshot.js";

for await (const line of createInterface({ input: process.stdin })) {
  const { settings, snapshot: given } = JSON.parse(line);
  const snapshot = given === undefined ? new Snapshot() : Snapshot.from([{ text: given }]);
  const warnings: string[] = [];
  const warn = (text: string) => void warnings.push(text);
  const { modules, problems: faults } = await loadModules(settings, catalogue(), { warn }, snapshot);
  const text = given === undefined ? snapshot.serialize(warn) : undefined;
  snapshot.dropContents();
  const loaded = [];
  for (const { name, callbacks, files, packages } of modules) {
    const answer = await callbacks.get("user_may_invite")?.handler?.({}, {});
    const digests = snapshot.digestsOf([...files, ...packages]);
    loaded.push({ name, answer, digests, notKept: snapshot.leftOutOf(name) });
  }
  process.stdout.write(`${JSON.stringify({ modules: loaded, faults, warnings, snapshot: text })}\n`);
}
