// Reads text files as UTF-8, with or without a byte order mark, and names the format of a file that is something else.
// Node alone would silently replace each wrong byte with U+FFFD.
import { isUtf8 } from "node:buffer";
import fs from "node:fs";
import { describeDenied } from "./denied.js";

const BYTE_ORDER_MARK = "\uFEFF";
const CODE = /\.(?:[cm]?[jt]sx?|json)$/;
const UTF_16 = "is UTF-16, not UTF-8: save it as UTF-8";

type Reader = Pick<typeof fs, "readFileSync">;

/** Returns the text of a file. Throws an Error that names the file, and its format or why it cannot be read. */
export function readText(file: string, files: Reader = fs): string {
  const bytes = readBytes(file, files);
  const problem = textProblem(bytes);
  if (problem !== undefined) throw new Error(`${file} ${problem}`);
  return decode(bytes);
}

/** Describes the first of these source or JSON files that is not UTF-8 text; undefined if all are. */
export function findUnfitText(files: readonly (string | undefined)[]): string | undefined {
  for (const file of files) {
    const problem = file !== undefined && CODE.test(file) ? problemOf(file) : undefined;
    if (problem !== undefined) return `${file} ${problem}`;
  }
  return undefined;
}

/** Undefined for a file that cannot be read: then its text is not the problem. */
function problemOf(file: string): string | undefined {
  try {
    return textProblem(fs.readFileSync(file));
  } catch {
    return undefined;
  }
}

/** Says what the bytes are if they are not UTF-8 text; undefined if they are. */
function textProblem(bytes: Buffer): string | undefined {
  if (bytes.length === 0) return "is empty";
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return "is compressed (gzip): unpack it";
  if (bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3) return "is an archive (zip): unpack it";
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return UTF_16;
  // Text in UTF-8 has no zero bytes. In UTF-16, one byte of each ASCII character is zero.
  if ((bytes[0] === 0) !== (bytes[1] === 0)) return UTF_16;
  if (!isUtf8(bytes)) return notUtf8(bytes);
  if (/^\s*<(?:!doctype html|html|head|body|\?xml)\b/i.test(decode(bytes.subarray(0, 1024))))
    return "is a page of HTML or XML: was the page around the file saved, instead of the file itself?";
  return undefined;
}

function decode(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

/** Returns the message for a missing file. It mentions `~` and `$`, which a shell expands and the bridge does not. */
export function noSuchFile(file: string, what = "file"): string {
  const expanded = /(?:^|\/)~|\$/.test(file)
    ? " (`~` and `$` stand for themselves here: write the whole path)"
    : "";
  return `there is no ${what} ${file}${expanded}`;
}

function readBytes(file: string, files: Reader): Buffer {
  try {
    return files.readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EISDIR") throw new Error(`${file} is a folder, not a file`, { cause: error });
    if (code === "ENOENT") throw new Error(noSuchFile(file), { cause: error });
    if (code === "EACCES") throw new Error(describeDenied(file), { cause: error });
    throw error;
  }
}

/** Names the line of the first wrong byte. It is a Latin-1 letter most of the time. */
function notUtf8(bytes: Buffer): string {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start);
    const next = end === -1 ? bytes.length : end + 1;
    if (!isUtf8(bytes.subarray(start, next))) break;
    start = next;
  }
  return `is not UTF-8 (the first wrong byte is in line ${line}; Latin-1?): save it as UTF-8`;
}
