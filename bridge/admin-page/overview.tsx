// The overview: what is wrong, the processes, the modules in them, and quarantines with a button that ends them.
import { useState } from "preact/hooks";
import type { Process, ProcessReload, QuarantineEntry, Reload, Status } from "../catalogue/admin-api.js";
import { useActing } from "./acting.js";
import { Confirm } from "./confirm.js";
import { Foreign, Hash, Message, ModeBadge, Table, Time } from "./parts.js";
import { hasDifferentVersions, problemsOf } from "./problems.js";
import { count, counted, duration, list, visible } from "./text.js";
import type { ViewProps } from "./view-props.js";

export function Overview(props: ViewProps) {
  const { status } = props;
  return (
    <>
      <Problems status={status} />
      <section aria-labelledby="processes">
        <h2 id="processes">Processes</h2>
        <Table
          caption="Processes"
          isCaptionHidden
          columns={["Process", "Node", "Up", "Restarts", "Last end", "Status of"]}
          rows={status.processes.map((process) => ofProcess(process, status.ts))}
        />
        <p class="hint">
          Synapse {status.synapse}, bridge {status.bridge}, as of <Time ts={status.ts} />. The page asks again
          every 5 s while it can be seen.
        </p>
      </section>
      <Versions status={status} />
      <Quarantines {...props} />
      <ReloadAll {...props} />
    </>
  );
}

function Problems({ status }: { status: Status }) {
  const problems = problemsOf(status);
  const bad = problems.filter(({ weight }) => weight === "bad");
  return (
    <section aria-label="State" aria-live="polite">
      {bad.length === 0 && (
        <p class="message good">
          All is well: {counted(status.modules.length, "module")} in{" "}
          {counted(status.processes.length, "process", "processes")}.
        </p>
      )}
      {problems.length > 0 && (
        <ul class="problems">
          {problems.map(({ weight, text }) => (
            <li key={text} class={weight}>
              <span class="unseen">{weight === "bad" ? "Problem: " : "Note: "}</span>
              <Foreign text={text} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function ofProcess(process: Process, now: number) {
  const { name, runs_modules, up, up_since_ts, node, restarts, last_end, seen_ts } = process;
  return {
    key: name,
    isWarned: runs_modules && !up,
    cells: [
      <strong key="name">{name}</strong>,
      runs_modules ? (node ?? "–") : "not here",
      !runs_modules ? (
        "–"
      ) : up ? (
        `for ${duration(now - (up_since_ts ?? now))}`
      ) : (
        <span class="badge down">down</span>
      ),
      count(restarts),
      last_end ? (
        <>
          <Time ts={last_end.ts} />: <Foreign text={last_end.cause} />
        </>
      ) : (
        "–"
      ),
      `${duration(now - seen_ts)} ago`,
    ],
  };
}

/** Each module in each process, with what runs there. */
function Versions({ status }: { status: Status }) {
  const rows = status.modules.flatMap((module) =>
    status.processes.flatMap((process) => {
      const there = process.modules.find(({ name }) => name === module.name);
      if (!there || !process.runs_modules) return [];
      const differs = hasDifferentVersions(status, module.name);
      return [
        {
          key: `${module.name} ${process.name}`,
          isWarned: differs || there.setup === "missing",
          cells: [
            module.name,
            process.name,
            <ModeBadge key="mode" mode={there.mode} />,
            there.setup,
            <>
              <Hash hash={there.files} />
              {differs && <span class="badge warn">differs</span>}
              {there.differs_on_disk.length > 0 && <span class="badge warn">newer on disk</span>}
            </>,
            <Hash key="config" hash={there.config} />,
            there.breakers.length > 0 ? there.breakers.join(", ") : "none open",
          ],
        },
      ];
    }),
  );
  return (
    <section aria-labelledby="versions">
      <h2 id="versions">Modules in each process</h2>
      <Table
        caption="Modules in each process"
        isCaptionHidden
        columns={["Module", "Process", "Mode", "Setup", "Files", "Config", "Breakers"]}
        rows={rows}
        none="No process runs modules."
      />
    </section>
  );
}

function Quarantines({ api, status, reload }: ViewProps) {
  const { outcome, act } = useActing();
  const [asked, setAsked] = useState<QuarantineEntry>();
  const modules = status.processes.flatMap((process) =>
    process.modules.map((module) => ({ ...module, process: process.name })),
  );
  const unlisted = modules.reduce((sum, { quarantines_more = 0 }) => sum + quarantines_more, 0);
  const end = ({ id }: QuarantineEntry) =>
    act(async () => {
      const { processes } = await api.endQuarantine(id);
      reload();
      return `The quarantine ends in ${list(processes)} within a few seconds.`;
    });
  return (
    <section aria-labelledby="quarantines">
      <h2 id="quarantines">Quarantines</h2>
      {outcome && <Message kind={outcome.kind}>{outcome.text}</Message>}
      <Table
        caption="Quarantines"
        isCaptionHidden
        columns={["Module", "Process", "Not asked about", "Until", "End"]}
        none="None. A module is not asked about what has ended or hung Node; that would stand here."
        rows={modules.flatMap(({ name, process, quarantines }) =>
          quarantines.map((entry) => ({
            key: `${process} ${name} ${entry.id}`,
            cells: [
              name,
              process,
              <Subject key="subject" entry={entry} />,
              entry.until === undefined ? "a restart of Synapse" : <Time key="until" ts={entry.until} />,
              <button key="end" type="button" onClick={() => setAsked(entry)}>
                End<span class="unseen"> the quarantine of {visible(entry.subject)}</span>
              </button>,
            ],
          })),
        )}
      />
      {unlisted > 0 && <p class="hint">{counted(unlisted, "more quarantine")} are not listed.</p>}
      {asked && (
        <Confirm
          title="End the quarantine?"
          onCancel={() => setAsked(undefined)}
          choices={[
            {
              text: "End it",
              act: () => {
                setAsked(undefined);
                void end(asked);
              },
            },
          ]}
        >
          <p>
            The module is asked about <Foreign text={asked.subject} /> again. If that ends Node once more, it
            comes back into quarantine.
          </p>
        </Confirm>
      )}
    </section>
  );
}

function Subject({ entry: { kind, subject, callback, room, for_all } }: { entry: QuarantineEntry }) {
  return (
    <>
      {kind} <Foreign text={subject} />
      {for_all === false && " for some visitors"}
      {callback !== undefined && (
        <small>
          in <code>{callback}</code>
        </small>
      )}
      {room !== undefined && (
        <small>
          in the room <Foreign text={room} />
        </small>
      )}
    </>
  );
}

const RELOADED: Readonly<Record<ProcessReload["outcome"], string>> = {
  reloaded: "reloaded",
  unchanged: "nothing had changed",
  failed: "failed: the old files go on",
  no_answer: "no answer yet",
};

function ReloadAll({ api, reload }: ViewProps) {
  const { isBusy, outcome, act } = useActing();
  const [result, setResult] = useState<Reload>();
  const start = () =>
    act(async () => {
      setResult(undefined);
      setResult(await api.reload());
      reload();
      return "The reload is over.";
    });
  return (
    <section aria-labelledby="reload">
      <h2 id="reload">Reload</h2>
      <p>
        Each process loads the files and configs that have changed on disk. Where one is broken, the old one
        goes on.
      </p>
      <button type="button" aria-disabled={isBusy} onClick={() => void start()}>
        {isBusy ? "Reloading …" : "Reload in every process"}
      </button>
      {outcome && <Message kind={outcome.kind}>{outcome.text}</Message>}
      {result && (
        <Table
          caption="What became of the reload"
          columns={["Process", "Outcome", "Changed", "Problem"]}
          rows={Object.entries(result.processes).map(
            ([name, { outcome: became, changed = [], problem }]) => ({
              key: name,
              isWarned: became === "failed" || became === "no_answer",
              cells: [
                name,
                RELOADED[became],
                changed.length > 0 ? list(changed) : "–",
                problem ? <Foreign key="p" text={problem} /> : "–",
              ],
            }),
          )}
        />
      )}
    </section>
  );
}
