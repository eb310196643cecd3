// The modules: what each may do, which processes have that in force, its switch, and what it was asked.
import type { CallbackCounts, ModuleMode, Process, ProcessModule, Status } from "../catalogue/admin-api.js";
import { slower } from "./hours.js";
import { Foreign, Message, ModeBadge, Table, Time } from "./parts.js";
import { addressOf, decisionsAddress } from "./route.js";
import { Switch } from "./switch.js";
import { count, list, milliseconds, share } from "./text.js";
import type { ViewProps } from "./view-props.js";

export function Modules(props: ViewProps) {
  const { status } = props;
  if (status.modules.length === 0) return <p class="none">homeserver.yaml names no modules.</p>;
  return (
    <>
      {status.modules.map((module) => (
        <ModuleCard key={module.name} module={module} {...props} />
      ))}
    </>
  );
}

function ModuleCard({ module, status, api, reload }: ViewProps & { readonly module: ModuleMode }) {
  const { name, mode, yaml_mode, override } = module;
  const id = `module-${name}`;
  const places = placesOf(status, name);
  const restartNeeded = Object.assign({}, ...places.map(({ there }) => there.restart_needed));
  return (
    <article class="card" aria-labelledby={id}>
      <h2 id={id}>
        {name} <ModeBadge mode={mode} />
      </h2>
      {override ? (
        <p>
          Set to {override.mode} by <Foreign text={override.by} /> at <Time ts={override.ts} />
          {override.until !== undefined && (
            <>
              , until <Time ts={override.until} />
            </>
          )}
          . homeserver.yaml says {yaml_mode}.
          {override.note !== undefined && (
            <>
              {" "}
              Note: <Foreign text={override.note} />
            </>
          )}
        </p>
      ) : (
        <p>The mode is that of homeserver.yaml.</p>
      )}
      <InForce mode={module} places={places} />
      {places.map(
        ({ process, there }) =>
          there.problem !== undefined && (
            <Message key={process.name} kind="bad">
              {process.name}: <Foreign text={there.problem} />
            </Message>
          ),
      )}
      <Switch module={module} restartNeeded={restartNeeded} api={api} reload={reload} />
      <Table
        caption="What it was asked since Synapse started"
        columns={["Callback", "Calls", "Refusals", "Errors", "Half within", "99 % within"]}
        rows={countsOf(places.map(({ there }) => there)).map(([callback, counts]) => ({
          key: callback,
          cells: [
            <code key="name">{callback}</code>,
            count(counts.calls),
            `${count(counts.refusals)} ${counts.refusals > 0 ? `(${share(counts.refusals, counts.calls)})` : ""}`,
            count(counts.errors),
            milliseconds(counts.p50_ms),
            milliseconds(counts.p99_ms),
          ],
        }))}
        none="It was asked nothing since Synapse started."
      />
      <p class="links">
        <a href={decisionsAddress({ module: name })}>
          Decisions<span class="unseen"> of {name}</span>
        </a>
        {mode === "shadow" && (
          <a href={addressOf("shadow")}>
            Shadow report<span class="unseen"> of {name}</span>
          </a>
        )}
      </p>
    </article>
  );
}

interface Place {
  readonly process: Process;
  readonly there: ProcessModule;
}

function placesOf(status: Status, name: string): Place[] {
  return status.processes.flatMap((process) => {
    const there = process.modules.find((module) => module.name === name);
    return there && process.runs_modules ? [{ process, there }] : [];
  });
}

/** Which processes have the mode in force. It changes within seconds, and is read aloud when it does. */
function InForce({ mode: { mode }, places }: { mode: ModuleMode; places: readonly Place[] }) {
  const others = places.filter(({ there }) => there.mode !== mode);
  const names = list(others.map(({ process, there }) => `${process.name} (${there.mode})`));
  const number = places.length === 2 ? "Both" : `All ${places.length}`;
  const all = places.length === 1 ? "The only process has" : `${number} processes have`;
  return (
    <p class={`in-force ${others.length === 0 ? "good" : "bad"}`} role="status">
      {places.length === 0
        ? "No process runs it."
        : others.length === 0
          ? `${all} this mode in force.`
          : `${places.length - others.length} of ${places.length} processes have this mode in force. Not yet: ${names}.`}
    </p>
  );
}

/** The counts of all processes together; of the latencies, the slowest process's. */
function countsOf(modules: readonly ProcessModule[]): [string, CallbackCounts][] {
  const sums = new Map<string, CallbackCounts>();
  for (const [callback, counts] of modules.flatMap(({ callbacks }) => Object.entries(callbacks))) {
    const sum = sums.get(callback) ?? { calls: 0, refusals: 0, errors: 0 };
    const p50_ms = slower(sum.p50_ms, counts.p50_ms);
    const p99_ms = slower(sum.p99_ms, counts.p99_ms);
    sums.set(callback, {
      calls: sum.calls + counts.calls,
      refusals: sum.refusals + counts.refusals,
      errors: sum.errors + counts.errors,
      ...(p50_ms !== undefined && { p50_ms }),
      ...(p99_ms !== undefined && { p99_ms }),
    });
  }
  return [...sums].filter(([, { calls }]) => calls > 0).sort(([, a], [, b]) => b.calls - a.calls);
}
