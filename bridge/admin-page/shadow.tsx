// The shadow reports: what each shadow module would have done, whom that concerns, and what was really decided.
import { useCallback, useState } from "preact/hooks";
import type { Concerned, ShadowReport } from "../catalogue/admin-api.js";
import { DecisionTable } from "./decision-table.js";
import { useLoaded } from "./loading.js";
import { IdLink, PeriodSelect, Staleness, Table, Time } from "./parts.js";
import { decisionsAddress } from "./route.js";
import { count, share } from "./text.js";
import type { ViewProps } from "./view-props.js";

export function ShadowReports({ api }: ViewProps) {
  const [period, setPeriod] = useState("7d");
  const load = useCallback(() => api.shadow(period), [api, period]);
  const loaded = useLoaded(load);
  const { value, isLoading, reload } = loaded;
  return (
    <>
      <p>A shadow module is asked and recorded, and decides nothing. Here is what it would have done.</p>
      <div class="fields">
        <PeriodSelect value={period} onPick={setPeriod} />
        <button type="button" onClick={reload}>
          Refresh
        </button>
      </div>
      <Staleness loaded={loaded} />
      <div aria-live="polite" aria-busy={isLoading}>
        {value ? (
          <>
            <p>
              Since <Time ts={value.since} />:
            </p>
            {value.modules.length === 0 && (
              <p class="none">No module was asked in shadow mode in this time.</p>
            )}
            {value.modules.map((report) => (
              <Report key={report.name} report={report} />
            ))}
          </>
        ) : (
          isLoading && <p>Loading …</p>
        )}
      </div>
    </>
  );
}

function Report({ report }: { report: ShadowReport }) {
  const { name, asked, would_refuse, would_edit, failed, callbacks, rooms, users, really, examples } = report;
  const id = `report-${name}`;
  return (
    <article class="card" aria-labelledby={id}>
      <h2 id={id}>{name}</h2>
      <p class="headline">
        Would have refused <b>{count(would_refuse)}</b> of <b>{count(asked)}</b>
        {would_refuse > 0 && ` (${share(would_refuse, asked)})`}, would have edited <b>{count(would_edit)}</b>
        , failed at <b>{count(failed)}</b>.
      </p>
      <Really really={really} />
      <Table
        caption="By callback"
        columns={["Callback", "Asked", "Would refuse", "Would edit", "Failed"]}
        rows={Object.entries(callbacks).map(([callback, counts]) => ({
          key: callback,
          cells: [
            <code key="name">{callback}</code>,
            count(counts.asked),
            count(counts.would_refuse),
            count(counts.would_edit),
            count(counts.failed),
          ],
        }))}
      />
      <div class="columns">
        <Most caption="Rooms most concerned" what="room" concerned={rooms} module={name} />
        <Most caption="Users most concerned" what="user" concerned={users} module={name} />
      </div>
      <h3>Examples</h3>
      <DecisionTable
        caption={`Examples of ${name}`}
        decisions={examples}
        none="It has objected to nothing."
      />
    </article>
  );
}

function Really({ really }: { really: ShadowReport["really"] }) {
  const outcomes = Object.entries(really);
  if (outcomes.length === 0) return null;
  return (
    <p>
      What it objects to was really:{" "}
      {outcomes.map(([outcome, times], index) => (
        <>
          {index > 0 && ", "}
          {outcome.replaceAll("_", " ")} <b>{count(times)}</b>
        </>
      ))}
      .
    </p>
  );
}

interface MostProps {
  readonly caption: string;
  readonly what: "room" | "user";
  readonly concerned: readonly Concerned[];
  readonly module: string;
}

function Most({ caption, what, concerned, module }: MostProps) {
  return (
    <Table
      caption={caption}
      columns={[what === "room" ? "Room" : "User", "Objections"]}
      none={`${caption}: none.`}
      rows={concerned.map(({ id, count: times }) => ({
        key: id,
        cells: [
          <IdLink key="id" id={id} what={what} href={decisionsAddress({ [what]: id, module })} />,
          count(times),
        ],
      }))}
    />
  );
}
