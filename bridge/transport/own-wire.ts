// Takes the wire away from file descriptors 0 and 1, so that nothing that a module or its children print or read
// can reach it. It must run before any module is loaded and before anything touches process.stdin or process.stdout.
import { closeSync, constants, existsSync, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";

export interface Wire {
  input: Readable;
  output: Writable;
  /** The descriptor of the pipe for records, which does not block. */
  records: number;
}

/** `records` is the descriptor that the shim has told of. */
export function takeWire(records: number): Wire {
  const folder = descriptors();
  for (const fd of [0, 1, records]) {
    // A socket cannot be opened anew, and would stay within a module's reach.
    if (!fstatSync(fd).isFIFO())
      throw new Error(`file descriptor ${fd} must be a pipe: the shim starts the host`);
  }
  // Without O_NONBLOCK, open() would wait for the other end of a pipe whose other end is gone.
  const input = openSync(`${folder}/0`, constants.O_RDONLY | constants.O_NONBLOCK);
  const output = openSync(`${folder}/1`, constants.O_WRONLY | constants.O_NONBLOCK);
  // Anew, so that no process of a module's own inherits it.
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

/** The folder in which the open file descriptors of this process can be opened anew. */
function descriptors(): string {
  const found = ["/proc/self/fd", "/dev/fd"].find((folder) => existsSync(folder));
  if (found === undefined)
    throw new Error("there is no /proc here, through which it opens its pipes anew: mount it");
  return found;
}

/** open() takes the lowest free descriptor, which is the one just closed. */
function replace(fd: number, open: () => number): void {
  closeSync(fd);
  const got = open();
  if (got !== fd) throw new Error(`file descriptor ${fd} could not be replaced (got ${got})`);
}

function openStandardError(folder: string): number {
  try {
    return openSync(`${folder}/2`, constants.O_WRONLY | constants.O_APPEND);
  } catch {
    // Standard error may be a socket, or belong to another user: what modules print is then lost, not misread.
    return openSync("/dev/null", constants.O_WRONLY);
  }
}
