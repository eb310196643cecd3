// Moves the wire away from file descriptors 0 and 1, so that modules and their child processes cannot read from it or write
// to it. This must run before a module is loaded, and before process.stdin or process.stdout is used.
import { closeSync, constants, existsSync, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";

export interface Wire {
  input: Readable;
  output: Writable;
  /** The descriptor of the pipe for records. It is non-blocking. */
  records: number;
}

/** `records` is the descriptor that the shim has passed on the command line. */
export function takeWire(records: number): Wire {
  const folder = descriptors();
  for (const fd of [0, 1, records]) {
    // A socket cannot be opened a second time, so modules could still reach it.
    if (!fstatSync(fd).isFIFO())
      throw new Error(`file descriptor ${fd} must be a pipe: the shim starts the host`);
  }
  // Without O_NONBLOCK, open() would wait forever if the other end of the pipe is closed already.
  const input = openSync(`${folder}/0`, constants.O_RDONLY | constants.O_NONBLOCK);
  const output = openSync(`${folder}/1`, constants.O_WRONLY | constants.O_NONBLOCK);
  // The second descriptor is closed on exec, so that no child process of a module inherits it.
  const forRecords = openSync(`${folder}/${records}`, constants.O_WRONLY | constants.O_NONBLOCK);
  closeSync(records);
  replace(0, () => openSync("/dev/null", constants.O_RDONLY));
  replace(1, () => openStandardError(folder));
  return {
    input: new Socket({ fd: input, readable: true, writable: false }),
    output: new Socket({ fd: output, readable: false, writable: true }),
    records: forRecords,
  };
}

/** The descriptor of the wire for the authors' kit, which can give its child only sockets. They cannot be opened again. */
export const WIRE_FOR_TESTS = 4;

/** The wire of a host that the authors' kit has started. It has a descriptor of its own, so that nothing is printed to it. */
export function wireForTests(records: number): Wire {
  const socket = new Socket({ fd: WIRE_FOR_TESTS, readable: true, writable: true });
  return { input: socket, output: socket, records };
}

/** The folder with the open file descriptors of this process, through which they can be opened again. */
function descriptors(): string {
  const found = ["/proc/self/fd", "/dev/fd"].find((folder) => existsSync(folder));
  if (found === undefined)
    throw new Error("there is no /proc, through which the host opens its pipes again: mount it");
  return found;
}

/** Replaces a descriptor: open() takes the lowest free one, which is the one just closed. */
function replace(fd: number, open: () => number): void {
  closeSync(fd);
  const got = open();
  if (got !== fd) throw new Error(`file descriptor ${fd} could not be replaced (got ${got})`);
}

function openStandardError(folder: string): number {
  try {
    return openSync(`${folder}/2`, constants.O_WRONLY | constants.O_APPEND);
  } catch {
    // Standard error may be a socket, or belong to another user. Then what is written to descriptor 1 is lost.
    return openSync("/dev/null", constants.O_WRONLY);
  }
}
