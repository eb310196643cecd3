// Reads recordings: the lines of one file, or of all files of a folder in the order of their times. Whatever is in a file, it
// reads on: lines that cannot be read are counted.
import { createReadStream, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { printable } from "../base/printable.js";
import { FORMAT, MOST_LINE, type RecordedLine, readLine } from "./format.js";

// In bytes. A character of a line may have three.
const MOST_BYTES = 3 * MOST_LINE;

export interface Skipped {
  /** Lines at the end of a file that were never written to their end: Node was killed, or the disk was full. */
  torn: number;
  /** Other lines that are no lines of a recording. */
  unreadable: number;
  /** Files that were removed before they were read: Synapse removes the oldest while it records. */
  removed: number;
}

export function newSkipped(): Skipped {
  return { torn: 0, unreadable: 0, removed: 0 };
}

/** The files of a recording. Throws an Error if there is none, or if one is no file that can be read twice. */
export function filesOf(given: string): string[] {
  const found = statSync(given, { throwIfNoEntry: false });
  if (found === undefined)
    throw new Error(`there is no recording ${given}${isOfShell(given) ? READ_TWICE : ""}`);
  if (!found.isDirectory()) return [onlyFile(given)];
  const names = readdirSync(given).filter((name) => name.endsWith(".jsonl"));
  if (names.length === 0) throw new Error(`${given} has no recording: no file there ends with .jsonl`);
  return names.sort().map((name) => onlyFile(path.join(given, name)));
}

const READ_TWICE = ": it is read twice, so write it to a file first";

/** A pipe would be empty the second time, or never end. A file that has gone meanwhile is counted later. */
function onlyFile(file: string): string {
  const isFile = statSync(file, { throwIfNoEntry: false })?.isFile() ?? true;
  if (!isFile) throw new Error(`${file} is a pipe, a device or a folder, and no file${READ_TWICE}`);
  return file;
}

/** Whether a shell has made it for this command alone, as for `<(jq …)`. */
function isOfShell(file: string): boolean {
  return /^\/(?:dev|proc\/\w+)\/fd\//.test(file);
}

/** All lines, the oldest first. Throws an Error for a recording of another version. */
export async function* readInOrder(files: readonly string[], skipped: Skipped): AsyncGenerator<RecordedLine> {
  const open: { next: RecordedLine; lines: AsyncGenerator<RecordedLine> }[] = [];
  for (const file of files) {
    const lines = readFile(file, skipped);
    const first = await lines.next().catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      skipped.removed++;
      return { done: true } as const;
    });
    if (!first.done) open.push({ next: first.value, lines });
  }
  try {
    while (open.length > 0) {
      let oldest = 0;
      // ISO times have the order of their texts.
      for (let i = 1; i < open.length; i++) if (timeOf(open[i]) < timeOf(open[oldest])) oldest = i;
      const from = open[oldest] as (typeof open)[number];
      yield from.next;
      const following = await from.lines.next();
      if (following.done) open.splice(oldest, 1);
      else from.next = following.value;
    }
  } finally {
    for (const { lines } of open) await lines.return(undefined);
  }
}

function timeOf(one: { next: RecordedLine } | undefined): string {
  return one?.next.at ?? "";
}

async function* readFile(file: string, skipped: Skipped): AsyncGenerator<RecordedLine> {
  let number = 0;
  for await (const { text, isWhole } of linesOf(file)) {
    number++;
    if (text === "") continue;
    const line = text === undefined ? "broken" : readLine(text);
    if (line === "broken" && !isWhole) skipped.torn++;
    else if (line === "broken" || line === "foreign") skipped.unreadable++;
    else if ("format" in line)
      throw new Error(
        `${file}:${number}: this line has the format ${printable(JSON.stringify(line.format) ?? "").slice(0, 20)}, and this command reads the format ${FORMAT}: ` +
          `replay it with the synapse-module-bridge that has written it${line.bridge === "" ? "" : ` (${printable(JSON.stringify(line.bridge))})`}`,
      );
    else yield line;
  }
}

/** The lines of a file. `text` is undefined for one that is too long; only the last one may not be whole. */
async function* linesOf(file: string): AsyncGenerator<{ text: string | undefined; isWhole: boolean }> {
  // Only the line feed ends a line: a text in JSON may have other characters that readers of lines take for ends.
  const LINE_FEED = 0x0a;
  let pieces: Buffer[] = [];
  let length = 0;
  const take = (piece: Buffer) => {
    length += piece.length;
    if (length <= MOST_BYTES) pieces.push(piece);
    else pieces = [];
  };
  const done = () => {
    const text = length <= MOST_BYTES ? Buffer.concat(pieces).toString() : undefined;
    pieces = [];
    length = 0;
    return text;
  };
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      take(chunk.subarray(from, end));
      yield { text: done(), isWhole: true };
      from = end + 1;
    }
    take(chunk.subarray(from));
  }
  if (length > 0) yield { text: done(), isWhole: false };
}
