// Small parts that several views show.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Mode } from "../catalogue/admin-api.js";
import type { Loaded } from "./loading.js";
import { dateTime, duration, shortHash, visible } from "./text.js";

/** Text that a Matrix user may have written: nothing in it changes how the text around it reads. */
export function Foreign({ text }: { text: string }) {
  return <bdi class="foreign">{visible(text)}</bdi>;
}

/** A link to the decisions about an id. */
export function IdLink({ id, href, what }: { id: string; href: string; what: string }) {
  return (
    <a class="id" href={href} aria-label={`Decisions about the ${what} ${visible(id)}`}>
      <Foreign text={id} />
    </a>
  );
}

export function Time({ ts }: { ts: number }) {
  const date = new Date(ts);
  // The rest of the page stays, whatever a row of the database has.
  if (Number.isNaN(date.getTime())) return <>{String(ts)}</>;
  return <time dateTime={date.toISOString()}>{dateTime(ts)}</time>;
}

export function Hash({ hash }: { hash: string }) {
  return hash === "" ? <>–</> : <code title={hash}>{shortHash(hash)}</code>;
}

export function ModeBadge({ mode }: { mode: Mode }) {
  return <span class={`badge mode-${mode}`}>{mode}</span>;
}

/** A sentence that a screen reader says when it appears. */
export function Message({ kind, children }: { kind: "good" | "bad" | "note"; children: ComponentChildren }) {
  return (
    <p class={`message ${kind}`} role={kind === "bad" ? "alert" : "status"}>
      {children}
    </p>
  );
}

/** Why the last load has failed, and how old what is shown is. */
export function Staleness({ loaded, again }: { loaded: Loaded<unknown>; again?: string }) {
  const { problem, at } = loaded;
  const now = useNow(problem !== undefined);
  if (problem === undefined) return null;
  return (
    <div class="message bad" role="alert">
      <p>{problem}</p>
      <p>
        {at === undefined ? "Nothing could be loaded yet. " : `What is shown is of ${dateTime(at)}. `}
        {again}
      </p>
      {at !== undefined && <p aria-hidden="true">That is {duration(now - at)} ago.</p>}
      <button type="button" onClick={loaded.reload}>
        Try again
      </button>
    </div>
  );
}

function useNow(isWanted: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isWanted) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isWanted]);
  return now;
}

export interface Row {
  readonly key: string;
  readonly cells: readonly ComponentChildren[];
  readonly isWarned?: boolean;
}

interface TableProps {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** What stands there without rows. */
  readonly none?: string;
  /** Whether the caption is only for screen readers, since a heading says the same. */
  readonly isCaptionHidden?: boolean;
}

/** A table that a narrow screen shows as cards. The roles are given, since `display: block` would take them away. */
export function Table({ caption, columns, rows, none = "None.", isCaptionHidden = false }: TableProps) {
  if (rows.length === 0) return <p class="none">{none}</p>;
  return (
    // biome-ignore-start lint/a11y/noRedundantRoles: the style sheet changes how the table is displayed
    <table role="table">
      <caption class={isCaptionHidden ? "unseen" : ""}>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column} scope="col" role="columnheader">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map(({ key, cells, isWarned }) => (
          <tr key={key} role="row" class={isWarned ? "warned" : ""}>
            {cells.map((cell, index) => (
              <td key={index} role="cell" data-label={columns[index]}>
                <div>{cell}</div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
    // biome-ignore-end lint/a11y/noRedundantRoles: see above
  );
}

const PERIODS = [
  ["1h", "the last hour"],
  ["24h", "the last 24 hours"],
  ["7d", "the last 7 days"],
  ["30d", "the last 30 days"],
] as const;

interface PeriodProps {
  /** A duration, as the API takes it; empty for `all`. */
  readonly value: string;
  readonly onPick: (period: string) => void;
  readonly without?: readonly string[];
  readonly all?: string;
}

export function PeriodSelect({ value, onPick, without = [], all }: PeriodProps) {
  return (
    <label>
      Since
      <select value={value} onChange={({ currentTarget }) => onPick(currentTarget.value)}>
        {PERIODS.filter(([name]) => !without.includes(name)).map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
        {all !== undefined && <option value="">{all}</option>}
      </select>
    </label>
  );
}
