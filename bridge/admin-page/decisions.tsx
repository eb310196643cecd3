// The decisions: a search by who, where, what and when, a page of them at a time, and the erasure of a user.
import { useCallback, useEffect, useState } from "preact/hooks";
import { useActing } from "./acting.js";
import type { Api } from "./api.js";
import { Confirm } from "./confirm.js";
import { DecisionTable } from "./decision-table.js";
import { useLoaded } from "./loading.js";
import { Foreign, Message, PeriodSelect, Staleness } from "./parts.js";
import { addressOf } from "./route.js";
import { counted } from "./text.js";
import type { ViewProps } from "./view-props.js";

const PAGE = 50;
const TEXTS = [
  ["user", "User", "@user:example.org"],
  ["room", "Room", "!room:example.org"],
  ["event", "Event", "$event"],
] as const;
const OUTCOMES = [
  ...["refused", "replaced", "edited", "policy", "error", "fault"],
  // Of modules in shadow.
  ...["would_refuse", "would_replace", "would_edit", "would_policy", "would_error", "would_fault"],
];

interface DecisionsProps extends ViewProps {
  readonly query: Readonly<Record<string, string>>;
}

export function Decisions({ api, status, query }: DecisionsProps) {
  // Another search starts at its first page.
  return (
    <>
      <Search
        query={query}
        modules={status.modules.map(({ name }) => name)}
        callbacks={callbacksIn(status)}
      />
      <Results key={JSON.stringify(query)} api={api} query={query} />
    </>
  );
}

function callbacksIn({ processes }: ViewProps["status"]): string[] {
  const names = processes.flatMap(({ modules }) =>
    modules.flatMap(({ callbacks }) => Object.keys(callbacks)),
  );
  return [...new Set(names)].sort();
}

interface SearchProps {
  readonly query: Readonly<Record<string, string>>;
  readonly modules: readonly string[];
  readonly callbacks: readonly string[];
}

function Search({ query, modules, callbacks }: SearchProps) {
  const [fields, setFields] = useState<Readonly<Record<string, string>>>(query);
  useEffect(() => setFields(query), [query]);
  const set = (name: string, value: string) => setFields((before) => ({ ...before, [name]: value }));
  const select = (name: string, label: string, options: readonly string[]) => (
    <label>
      {label}
      <select value={fields[name] ?? ""} onChange={({ currentTarget }) => set(name, currentTarget.value)}>
        <option value="">any</option>
        {[...new Set([...options, ...(fields[name] ? [fields[name]] : [])])].map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <search>
      <form
        class="fields search"
        aria-label="Search decisions"
        onSubmit={(event) => {
          event.preventDefault();
          const trimmed = Object.entries(fields).map(([name, value]) => [name, value.trim()]);
          const address = addressOf("decisions", Object.fromEntries(trimmed));
          // The same search once more asks the server again.
          if (address === location.hash) dispatchEvent(new HashChangeEvent("hashchange"));
          else location.hash = address;
        }}
      >
        {TEXTS.map(([name, label, example]) => (
          <label key={name} class="wide">
            {label}
            <input
              name={name}
              value={fields[name] ?? ""}
              placeholder={example}
              autoCapitalize="none"
              autoComplete="off"
              spellcheck={false}
              onInput={({ currentTarget }) => set(name, currentTarget.value)}
            />
          </label>
        ))}
        {select("module", "Module", modules)}
        {select("callback", "Callback", callbacks)}
        {select("outcome", "Outcome", OUTCOMES)}
        <PeriodSelect
          value={fields.since ?? ""}
          onPick={(period) => set("since", period)}
          all="everything kept"
        />
        <div class="buttons">
          <button type="submit" class="main">
            Search
          </button>
          <a class="button" href={addressOf("decisions")}>
            Clear
          </a>
        </div>
      </form>
    </search>
  );
}

function Results({ api, query }: { api: Api; query: Readonly<Record<string, string>> }) {
  // The begins of the pages up to the one that is shown; the first page has none.
  const [begins, setBegins] = useState<readonly (string | undefined)[]>([undefined]);
  const from = begins.at(-1);
  const load = useCallback(
    () => api.decisions({ ...query, limit: PAGE, ...(from !== undefined && { from }) }),
    [api, query, from],
  );
  const loaded = useLoaded(load);
  const { value, isLoading, reload } = loaded;
  const next = value?.next;
  return (
    <section aria-labelledby="found" aria-busy={isLoading}>
      <h2 id="found">
        {query.user ? (
          <>
            What was decided about <Foreign text={query.user} />
          </>
        ) : (
          "What was decided"
        )}
      </h2>
      <Staleness loaded={loaded} />
      <p role="status" class="unseen">
        {value && !isLoading ? `${counted(value.decisions.length, "decision")} on page ${begins.length}` : ""}
      </p>
      {value ? (
        <DecisionTable
          caption="Decisions"
          decisions={value.decisions}
          none={
            begins.length > 1
              ? "No more."
              : "No decision fits. Plain allows are not recorded, only refusals, edits, and answers by policy."
          }
        />
      ) : (
        isLoading && <p>Loading …</p>
      )}
      <div class="buttons">
        <button
          type="button"
          aria-disabled={begins.length === 1}
          onClick={() => begins.length > 1 && setBegins(begins.slice(0, -1))}
        >
          Newer
        </button>
        <span>Page {begins.length}</span>
        <button
          type="button"
          aria-disabled={next === undefined}
          onClick={() => next !== undefined && setBegins([...begins, next])}
        >
          Older
        </button>
        <button type="button" onClick={reload}>
          Refresh
        </button>
      </div>
      {query.user && <Erase api={api} user={query.user} onErased={reload} />}
    </section>
  );
}

function Erase({ api, user, onErased }: { api: Api; user: string; onErased: () => void }) {
  const [isAsking, setAsking] = useState(false);
  const { outcome, act } = useActing();
  const erase = () =>
    act(async () => {
      const { erased } = await api.erase(user);
      onErased();
      return `${counted(erased, "decision")} erased.`;
    });
  return (
    <div class="erase">
      {outcome && <Message kind={outcome.kind}>{outcome.text}</Message>}
      <button type="button" class="grave" onClick={() => setAsking(true)}>
        Erase all decisions about this user
      </button>
      {isAsking && (
        <Confirm
          title="Erase what is recorded?"
          onCancel={() => setAsking(false)}
          choices={[
            {
              text: "Erase",
              isGrave: true,
              act: () => {
                setAsking(false);
                void erase();
              },
            },
          ]}
        >
          <p>
            All decisions about <Foreign text={user} /> are deleted from the database, whatever the other
            filters say. They cannot be brought back.
          </p>
        </Confirm>
      )}
    </div>
  );
}
