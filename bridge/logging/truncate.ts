// Truncates the texts inside a record that is too long, so that it keeps its level, module and request.
import { LIMITS } from "../catalogue/protocol.js";

// The shim drops longer lines. The rest is for what surrounds the text.
const MOST_BYTES = LIMITS.line_bytes - 4 * 1024;
// The fields that pino and the host write before any text of a module.
const HEAD =
  /^\{"level":\d+,"time":\d+(?:,"module":"(?:[^"\\]|\\.)*")?(?:,"request":(?:"(?:[^"\\]|\\.)*"|null))?/;

/** Returns a line of pino's, truncated if it is too long. */
export function truncateRecord(line: string): string {
  const bytes = Buffer.byteLength(line);
  if (bytes <= MOST_BYTES) return line;
  const head = HEAD.exec(line)?.[0] ?? '{"level":40,"time":0';
  const { msg, stack } = textsOf(line);
  for (let most = MOST_BYTES; ; most = Math.floor(most / 2)) {
    const err = stack === undefined ? undefined : { stack: shorten(stack, most / 4) };
    const rest = JSON.stringify({ err, cut_from_bytes: bytes, msg: shorten(msg, (most * 3) / 4) });
    const cut = `${head},${rest.slice(1)}`;
    if (Buffer.byteLength(cut) <= MOST_BYTES || most === 0) return cut;
  }
}

/** Returns a text, truncated if it would not fit into a record. */
export function truncateText(text: string): string {
  let cut = text;
  for (
    let most = MOST_BYTES;
    Buffer.byteLength(JSON.stringify(cut)) > MOST_BYTES;
    most = Math.floor(most / 2)
  )
    cut = shorten(text, most);
  return cut;
}

function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.floor(most))} … (cut: ${text.length} characters)`;
}

function textsOf(line: string): { msg: string; stack?: string } {
  try {
    const { msg = "", err } = JSON.parse(line);
    const stack: unknown = err?.stack ?? err?.message;
    return { msg: String(msg), ...(typeof stack === "string" ? { stack } : {}) };
  } catch {
    return { msg: line };
  }
}
