// Between a module's database values and the wire's: bytes as base64, rows by the names of their columns.
import { bytesOf } from "./api-values.js";
import type { DatabaseParam, DatabaseResult, DatabaseRow, DatabaseValue } from "./storage-types.js";

export interface WireResult {
  columns: string[];
  rows: WireCell[][];
  rowcount: number;
}

type WireCell = string | number | boolean | null | { bytes: string } | { json: DatabaseValue };

export function encodeParams(params: readonly DatabaseParam[]): unknown[] {
  return params.map((value) =>
    value instanceof Uint8Array ? { bytes: Buffer.from(value).toString("base64") } : value,
  );
}

export function toResult({ columns, rows, rowcount }: WireResult): DatabaseResult {
  return { rows: rows.map((cells) => toRow(columns, cells)), rowcount };
}

function toRow(columns: string[], cells: WireCell[]): DatabaseRow {
  return Object.fromEntries(columns.map((name, index) => [name, toValue(cells[index] ?? null)]));
}

function toValue(cell: WireCell): DatabaseValue {
  if (typeof cell !== "object" || cell === null) return cell;
  return "bytes" in cell ? bytesOf(cell.bytes) : cell.json;
}
