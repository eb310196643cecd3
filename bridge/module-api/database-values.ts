// Converts between database values of modules and of the wire: bytes to base64, lists of cells to rows by column name.

import type { Cell, StatementResult } from "../catalogue/protocol.js";
import type { DatabaseParam } from "../sdk/json.js";
import type { DatabaseResult, DatabaseRow, DatabaseValue } from "../sdk/storage-types.js";
import { bytesOf } from "./api-values.js";

export function encodeParams(params: readonly DatabaseParam[]): unknown[] {
  return params.map((value) =>
    value instanceof Uint8Array ? { bytes: Buffer.from(value).toString("base64") } : value,
  );
}

export function toResult({ columns, rows, rowcount }: StatementResult): DatabaseResult {
  return { rows: rows.map((cells) => toRow(columns, cells)), rowcount };
}

function toRow(columns: readonly string[], cells: readonly Cell[]): DatabaseRow {
  return Object.fromEntries(columns.map((name, index) => [name, toValue(cells[index] ?? null)]));
}

function toValue(cell: Cell): DatabaseValue {
  if (typeof cell !== "object" || cell === null) return cell;
  return "bytes" in cell ? bytesOf(cell.bytes) : (cell.json as DatabaseValue);
}
