// Run by a Node of its own: loads the modules of each line on standard input, calls what they have for user_may_invite,
// and prints what came of it as a line.
import { createInterface } from "node:readline";
import { catalogue } from "../../bridge/catalogue/catalogue.js";
import { Kept } from "../../bridge/loading/kept.js";
import { loadModules } from "../../bridge/loading/loader.js";

for await (const line of createInterface({ input: process.stdin })) {
  const { settings, snapshot } = JSON.parse(line);
  const kept = snapshot === undefined ? new Kept() : Kept.from([{ text: snapshot }]);
  const warnings: string[] = [];
  const warn = (text: string) => void warnings.push(text);
  const { modules, faults } = await loadModules(settings, catalogue(), { warn }, kept);
  const text = snapshot === undefined ? kept.text(warn) : undefined;
  kept.forget();
  const loaded = [];
  for (const { name, callbacks, files, packages } of modules) {
    const answer = await callbacks.get("user_may_invite")?.handler?.({}, {});
    const digests = kept.digestsOf([...files, ...packages]);
    loaded.push({ name, answer, digests, notKept: kept.notKeptOf(name) });
  }
  process.stdout.write(`${JSON.stringify({ modules: loaded, faults, warnings, snapshot: text })}\n`);
}
