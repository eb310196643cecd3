// What Linux tells about processes in /proc: who is whose child, whether they live, their memory and descriptors.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** The number of the process group: a terminal's Ctrl-C goes to all of one. */
  readonly group: number;
  readonly state: string;
  /** In ticks since boot: with the pid it tells one process from any later one. */
  readonly started: string;
}

/** Zombies too. */
export function processOf(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state = "", parent, group] = fields;
    return { pid, state, parent: Number(parent), group: Number(group), started: fields[19] ?? "" };
  } catch {
    return undefined; // it has ended meanwhile
  }
}

const pids = () =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
const all = () => pids().flatMap((pid) => processOf(pid) ?? []);
const isRunning = ({ state }: Process) => state !== "Z" && state !== "X";

/** The children of a process, zombies too. */
export const everyChildOf = (pid: number): Process[] => all().filter(({ parent }) => parent === pid);

/** The children of a process that are not zombies, oldest first. */
export const childrenOf = (pid: number): number[] =>
  everyChildOf(pid)
    .filter(isRunning)
    .map((child) => child.pid)
    .sort((a, b) => a - b);

/** The others of a process's group that are not zombies. */
export const othersInGroupOf = (pid: number): number[] =>
  all()
    .filter((process) => isRunning(process) && process.group === pid && process.pid !== pid)
    .map((process) => process.pid);

/** Whether it runs and is no zombie; of a `Process`, whether it is still this very one. */
export function isAlive(process: number | Process): boolean {
  const now = processOf(typeof process === "number" ? process : process.pid);
  if (now === undefined || !isRunning(now)) return false;
  return typeof process === "number" || now.started === process.started;
}

/** A zombie without other threads is gone: only its parent has not looked yet. */
export function isGone(pid: number): boolean {
  const found = processOf(pid);
  if (found === undefined) return true;
  try {
    return found.state === "Z" && readdirSync(`/proc/${pid}/task`).length <= 1;
  } catch {
    return true; // it has ended meanwhile
  }
}

/** The processes that work in a folder, whether it still exists or not. */
export const processesIn = (folder: string): number[] =>
  pids().filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, "") === folder;
    } catch {
      return false; // it has ended meanwhile
    }
  });

/** Resident memory in bytes: now, or at its peak. */
export function memoryOf(pid: number, field: "VmRSS" | "VmHWM" = "VmRSS"): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const kilobytes = new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** Memory in bytes (PSS): of what several processes have in common, only a part. All Nodes have their program in common. */
export function shareOfMemoryOf(pid: number): number | undefined {
  try {
    const kilobytes = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

export function descriptorsOf(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}
