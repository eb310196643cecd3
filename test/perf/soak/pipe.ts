/** Finds a pipe between two processes. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

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
