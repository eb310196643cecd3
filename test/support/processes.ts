// Looks at the processes of this machine, as Linux tells about them in /proc.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The children of a process that are not zombies. */
export function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`)
    .split(" ")
    .filter((child) => child !== "" && isAlive(Number(child)))
    .map(Number);
}

export function isAlive(pid: number): boolean {
  const state = /\) (\w) /.exec(read(`/proc/${pid}/stat`))?.[1];
  return state !== undefined && state !== "Z" && state !== "X";
}

/** The number of the process group: a terminal's Ctrl-C goes to all of one. */
export function groupOf(pid: number): number {
  return Number(/\) \w \d+ (\d+) /.exec(read(`/proc/${pid}/stat`))?.[1]);
}

/** The processes that work in a folder, whether it still exists or not. */
export function processesIn(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, "") === folder;
      } catch {
        return false; // it has ended meanwhile
      }
    });
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
