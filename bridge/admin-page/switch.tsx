// The switch of one module: off, shadow or enforce, for how long and why, and the way back to homeserver.yaml.
import { useEffect, useState } from "preact/hooks";
import { ADMIN_LIMITS, type Mode, type ModuleMode } from "../catalogue/admin-api.js";
import { useActing } from "./acting.js";
import type { Api } from "./api.js";
import { Confirm } from "./confirm.js";
import { Message } from "./parts.js";

const MODES: readonly { readonly mode: Mode; readonly means: string }[] = [
  { mode: "off", means: "is not asked" },
  { mode: "shadow", means: "is asked and recorded, and decides nothing" },
  { mode: "enforce", means: "decides" },
];
const ENDS = [
  ["", "until somebody changes it"],
  ["1h", "for 1 hour"],
  ["8h", "for 8 hours"],
  ["1d", "for 1 day"],
  ["7d", "for 7 days"],
] as const;

interface SwitchProps {
  readonly module: ModuleMode;
  /** The modes that it cannot have before Synapse is restarted, with the reasons. */
  readonly restartNeeded: Readonly<Record<string, string>>;
  readonly api: Api;
  readonly reload: () => void;
}

export function Switch({ module, restartNeeded, api, reload }: SwitchProps) {
  const { name, mode, yaml_mode, override } = module;
  const [wanted, setWanted] = useState(mode);
  const [until, setUntil] = useState("");
  const [note, setNote] = useState("");
  const [isAsking, setAsking] = useState(false);
  const { isBusy, outcome, act } = useActing();
  // Another admin, another tab or `until` may have changed it.
  useEffect(() => setWanted(mode), [mode]);

  const set = () =>
    act(async () => {
      await api.setMode(name, wanted, { ...(until && { until }), ...(note.trim() && { note: note.trim() }) });
      setNote("");
      setUntil("");
      reload();
      return `${name} is set to ${wanted}. Every process has it within 5 s.`;
    });
  const reset = () =>
    act(async () => {
      await api.resetMode(name);
      reload();
      return `${name} goes back to homeserver.yaml: ${yaml_mode}. Every process has it within 5 s.`;
    });

  return (
    <form
      class="switch"
      aria-label={`Switch of ${name}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted === "shadow") void set();
        else setAsking(true);
      }}
    >
      <fieldset aria-busy={isBusy}>
        <legend>Mode</legend>
        <div class="modes">
          {MODES.map((one) => (
            <label key={one.mode} class={one.mode === wanted ? "picked" : ""}>
              <input
                type="radio"
                name={`mode of ${name}`}
                value={one.mode}
                checked={one.mode === wanted}
                disabled={one.mode in restartNeeded}
                onChange={() => setWanted(one.mode)}
              />
              <span>
                <b>{one.mode}</b> <small>{one.means}</small>
                {one.mode in restartNeeded && <small>needs a restart: {restartNeeded[one.mode]}</small>}
              </span>
            </label>
          ))}
        </div>
        <div class="fields">
          <label>
            How long
            <select value={until} onChange={({ currentTarget }) => setUntil(currentTarget.value)}>
              {ENDS.map(([value, text]) => (
                <option key={value} value={value}>
                  {text}
                </option>
              ))}
            </select>
          </label>
          <label class="wide">
            Why, for the record
            <input
              value={note}
              maxLength={ADMIN_LIMITS.note_characters}
              onInput={({ currentTarget }) => setNote(currentTarget.value)}
            />
          </label>
          <button type="submit" class="main">
            Apply
          </button>
          {override && (
            <button type="button" onClick={() => void reset()}>
              Back to homeserver.yaml ({yaml_mode})
            </button>
          )}
        </div>
      </fieldset>
      {outcome && <Message kind={outcome.kind}>{outcome.text}</Message>}
      {isAsking && (
        <Confirm
          title={`Set ${name} to ${wanted}?`}
          onCancel={() => setAsking(false)}
          choices={[
            {
              text: `Set to ${wanted}`,
              isGrave: wanted === "off",
              act: () => {
                setAsking(false);
                void set();
              },
            },
          ]}
        >
          <p>
            {wanted === "off"
              ? "It is not asked any more, in every process. What it would refuse is let through."
              : "What it refuses is refused, in every process."}
          </p>
        </Confirm>
      )}
    </form>
  );
}
