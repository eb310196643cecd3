// Run by a Node of its own: loads the modules of each line on standard input, calls what they have for user_may_invite,
// and prints what came of it as a line.
import { createInterface } from "node:readline";
import { catalogue } from "../../bridge/catalogue.js";
import { loadModules } from "../../bridge/loader.js";

for await (const line of createInterface({ input: process.stdin })) {
  const { modules, faults } = await loadModules(JSON.parse(line), catalogue());
  const loaded = modules.map(({ name, callbacks }) => ({
    name,
    answer: callbacks.get("user_may_invite")?.handler?.({}, {}),
  }));
  process.stdout.write(`${JSON.stringify({ modules: loaded, faults })}\n`);
}
