// A host in a process of its own, with pipes for its standard streams as the shim gives it. Node itself would give a
// child sockets, so the pipes are made by name.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import { createMessageConnection, type MessageConnection } from "vscode-jsonrpc/node";
import { FrameReader, FrameWriter } from "../../../bridge/transport/framing.js";

export interface HostProcess {
  child: ChildProcess;
  shim: MessageConnection;
  /** All that came on standard error so far. */
  stderr(): string;
  /** The records of one kind so far. */
  records(kind: "log" | "printed" | "dropped" | "ends"): Record<string, unknown>[];
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
  const records = makePipe(folder);
  const stdio = [input.reader, output.writer, errors.writer, records.writer];
  // In a session of its own.
  const command = [...flags, cli, "host", "--records", "3"];
  const child = spawn(process.execPath, command, { stdio, detached: true });
  for (const theirs of stdio) closeSync(theirs);
  const toHost = new Socket({ fd: input.writer, readable: false, writable: true });
  const fromHost = new Socket({ fd: output.reader, readable: true, writable: false });
  // A host that died takes the pipe with it.
  toHost.on("error", () => {});
  const shim = createMessageConnection(new FrameReader(fromHost), new FrameWriter(toHost));
  shim.listen();
  const text = collect(errors.reader);
  const lines = collect(records.reader);
  const drained = Promise.all([text.ended, lines.ended]);
  const ended = new Promise<number | string | null>((resolve) => {
    child.on("exit", (code, signal) => void drained.then(() => resolve(code ?? signal)));
  });
  const recordsOf = (kind: string) => {
    const whole = lines.text().split("\n").slice(0, -1);
    return whole.map((line) => JSON.parse(line)).flatMap((record) => (kind in record ? [record[kind]] : []));
  };
  return {
    child,
    shim,
    toHost,
    stderr: text.text,
    records: recordsOf,
    closeInput: () => void toHost.end(),
    ended,
  };
}

function collect(fd: number): { text(): string; ended: Promise<unknown> } {
  const pieces: Buffer[] = [];
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on("data", (piece) => pieces.push(piece));
  return {
    text: () => Buffer.concat(pieces).toString(),
    ended: new Promise((resolve) => socket.on("close", resolve)),
  };
}

function makePipe(folder: string): { reader: number; writer: number } {
  const file = path.join(folder, `pipe-${performance.now()}`);
  if (spawnSync("mkfifo", [file]).status !== 0) throw new Error("mkfifo failed");
  // The reader first: a writer that does not block needs one to be there.
  const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(file, constants.O_WRONLY) };
}
