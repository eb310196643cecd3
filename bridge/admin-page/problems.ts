// What an admin should know at a glance, from the status. Each problem says what it means or what to do.
import type { Process, Status } from "../catalogue/admin-api.js";
import { counted, dateTime, duration, list, shortHash } from "./text.js";

export interface Problem {
  /** A problem is `bad` while modules are not asked as they should be; else it is a `note`. */
  readonly weight: "bad" | "note";
  readonly text: string;
}

// A process writes its status every five seconds.
const LATE_MS = 12_000;

/** The bad ones first. */
export function problemsOf(status: Status): Problem[] {
  const running = status.processes.filter((process) => process.runs_modules);
  const problems = [
    ...status.processes.flatMap((process) => ofProcess(process, status.ts)),
    ...status.modules.flatMap(({ name, mode, yaml_mode, override }) => {
      if (!override) return [];
      const until = override.until === undefined ? "" : ` until ${dateTime(override.until)}`;
      return [
        note(`${name} is set to ${mode} by ${override.by}${until}. homeserver.yaml says ${yaml_mode}.`),
      ];
    }),
    ...status.modules.flatMap(({ name }) => [
      ...differing(running, name, "files"),
      ...differing(running, name, "config"),
    ]),
  ];
  const weighing = (weight: Problem["weight"]) => problems.filter((problem) => problem.weight === weight);
  return [...weighing("bad"), ...weighing("note")];
}

function ofProcess(process: Process, now: number): Problem[] {
  const { name } = process;
  const problems: Problem[] = [];
  if (process.runs_modules && !process.up)
    problems.push(
      bad(`Node is down in ${name}. Until it is up, the failure policy answers for its modules.`),
    );
  if (now - process.seen_ts > LATE_MS)
    problems.push(bad(`${name} has written no status for ${duration(now - process.seen_ts)}.`));
  for (const module of process.modules) {
    const where = `${module.name} in ${name}`;
    if (module.problem !== undefined) problems.push(bad(`${where}: ${module.problem}`));
    else if (module.setup === "missing") problems.push(bad(`${where} could not be loaded.`));
    if (module.setup === "waiting" && process.up)
      problems.push(
        bad(`${where} is not set up. The failure policy answers for it until its setup is done.`),
      );
    if (module.breakers.length > 0)
      problems.push(
        bad(`${where} misses deadlines. For some users it is not asked about ${list(module.breakers)}.`),
      );
    if (module.quarantines.length > 0)
      problems.push(
        bad(`${where} has ended or hung Node: ${counted(module.quarantines.length, "quarantine")}.`),
      );
    if (module.differs_on_disk.length > 0)
      problems.push(note(`${where} runs older files than those on disk. A reload takes the new ones.`));
  }
  if (process.decisions_dropped > 0)
    problems.push(
      note(`${name} has counted ${counted(process.decisions_dropped, "decision")} without storing them.`),
    );
  return problems;
}

/** Processes that run one module in different versions. */
function differing(processes: readonly Process[], module: string, what: "files" | "config"): Problem[] {
  const byHash = new Map<string, string[]>();
  for (const process of processes) {
    const hash = process.modules.find(({ name }) => name === module)?.[what];
    if (hash) byHash.set(hash, [...(byHash.get(hash) ?? []), process.name]);
  }
  if (byHash.size < 2) return [];
  const versions = [...byHash].map(([hash, names]) => `${shortHash(hash)} in ${list(names)}`);
  const noun = what === "files" ? "files" : "configs";
  return [
    bad(`${module} runs with different ${noun}: ${versions.join("; ")}. A reload makes them the same.`),
  ];
}

/** Whether processes run different files or configs of a module. */
export function hasDifferentVersions(status: Status, module: string): boolean {
  const running = status.processes.filter((process) => process.runs_modules);
  return differing(running, module, "files").length + differing(running, module, "config").length > 0;
}

const bad = (text: string): Problem => ({ weight: "bad", text });
const note = (text: string): Problem => ({ weight: "note", text });
