/** What Linux tells about processes: who is whose child, memory, descriptors. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  /** In ticks since boot: with the pid it tells one process from any later one. */
  readonly started: string;
}

export function processOf(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid, state: fields[0] ?? "", parent: Number(fields[1]), started: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

export function childrenOf(pid: number): readonly Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processOf(Number(name)) ?? [])
    .filter(({ parent }) => parent === pid);
}

/** Whether it is still this very process, and not a zombie. */
export function isAlive({ pid, started }: Process): boolean {
  const now = processOf(pid);
  return now !== undefined && now.started === started && now.state !== "Z";
}

export function memoryOf(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** The path at which the pipe that one process writes to another, beside its standard error, can be written to as well. */
export function pipeBetween(writer: number, reader: number): string | undefined {
  const opened = (pid: number) =>
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return { path: `/proc/${pid}/fd/${fd}`, fd, target: readlinkSync(`/proc/${pid}/fd/${fd}`) };
      } catch {
        return []; // closed meanwhile
      }
    });
  const writes = (fd: string) =>
    /^flags:\s+\d*1$/m.test(readFileSync(`/proc/${writer}/fdinfo/${fd}`, "latin1"));
  const read = new Set(opened(reader).map(({ target }) => target));
  const ours = opened(writer);
  const standardError = ours.find(({ fd }) => fd === "2")?.target;
  return ours
    .filter(({ target }) => target.startsWith("pipe:") && read.has(target) && target !== standardError)
    .find(({ fd }) => writes(fd))?.path;
}

export function descriptorsOf(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}
