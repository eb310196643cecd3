// A host in a process of its own, with pipes for its standard streams as the shim gives it. Node itself would give a
// child sockets, so the pipes are made by name.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import { createMessageConnection, type MessageConnection } from "vscode-jsonrpc/node";
import { FrameReader, FrameWriter } from "../../bridge/framing.js";

export interface HostProcess {
  child: ChildProcess;
  shim: MessageConnection;
  /** All that came on standard error so far. */
  stderr(): string;
  toHost: Socket;
  closeInput(): void;
  /** The exit code, or the signal that ended it. */
  ended: Promise<number | string | null>;
}

/** `flags` are Node's. */
export function startHost(cli: string, folder: string, flags: readonly string[] = []): HostProcess {
  const input = makePipe(folder);
  const output = makePipe(folder);
  const errors = makePipe(folder);
  const stdio = [input.reader, output.writer, errors.writer];
  const child = spawn(process.execPath, [...flags, cli, "host"], { stdio });
  for (const theirs of stdio) closeSync(theirs);
  const toHost = new Socket({ fd: input.writer, readable: false, writable: true });
  const fromHost = new Socket({ fd: output.reader, readable: true, writable: false });
  // A host that died takes the pipe with it.
  toHost.on("error", () => {});
  const shim = createMessageConnection(new FrameReader(fromHost), new FrameWriter(toHost));
  shim.listen();
  let text = "";
  const fromLog = new Socket({ fd: errors.reader, readable: true, writable: false });
  fromLog.on("data", (chunk) => {
    text += chunk;
  });
  const drained = new Promise((resolve) => fromLog.on("close", resolve));
  const ended = new Promise<number | string | null>((resolve) => {
    child.on("exit", (code, signal) => void drained.then(() => resolve(code ?? signal)));
  });
  return { child, shim, toHost, stderr: () => text, closeInput: () => void toHost.end(), ended };
}

function makePipe(folder: string): { reader: number; writer: number } {
  const file = path.join(folder, `pipe-${performance.now()}`);
  if (spawnSync("mkfifo", [file]).status !== 0) throw new Error("mkfifo failed");
  // The reader first: a writer that does not block needs one to be there.
  const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(file, constants.O_WRONLY) };
}
