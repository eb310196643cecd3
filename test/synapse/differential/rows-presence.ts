// Presence: who is told of whom, by one module and by several, whose answers Synapse puts together.
import type { Intended, Row } from "./rows.js";
import type { Action, Script } from "./script.js";
import type { Side } from "./sides.js";
import type { Trigger } from "./trigger.js";
import { firstSync, starId, watchedChange, watcherId } from "./triggers-presence.js";

type Answers = (side: Side, n: number) => { interested?: Action; routes?: Action };

const everybody: Action = { answer: { value: "ALL" } };
const broken: Action = { throw: { exception: "broken policy" } };

const star: Answers = (side, n) => ({ interested: { answer: { value: [starId(side, n)] } } });
const others: Answers = ({ alice }) => ({ interested: { answer: { value: [alice.userId] } } });
const starToWatcher: Answers = (side, n) => ({
  ...star(side, n),
  routes: { answer: { routes: { [watcherId(side, n)]: [starId(side, n)] } } },
});
const allWithRoutes: Answers = (side, n) => ({ ...starToWatcher(side, n), interested: everybody });
const fails: Answers = () => ({ interested: broken, routes: broken });
const nothing: Answers = () => ({});

function script(modules: readonly Answers[]) {
  return (side: Side, n: number): Script =>
    Object.fromEntries(
      modules.map((answers, index) => {
        const { interested, routes } = answers(side, n);
        const when = { user_id: watcherId(side, n) };
        return [
          ["first", "second", "third"][index],
          {
            ...(interested && { get_interested_users: { ...interested, when } }),
            ...(routes && { get_users_for_states: routes }),
          },
        ];
      }),
    );
}

function row(
  callback: string,
  trigger: Trigger,
  answer: string,
  modules: readonly Answers[],
  intended?: Intended,
): Row {
  return { callback, trigger, answer, script: script(modules), ...(intended && { intended }) };
}

const interested = (answer: string, ...modules: Answers[]) =>
  row("get_interested_users", firstSync, answer, modules);

const entry: Answers = (side, n) => ({
  interested: everybody,
  routes: { answer: { routes: { [watcherId(side, n)]: [] } } },
});

export const presenceRows: readonly Row[] = [
  interested("one user", star),
  interested("users of three modules, of which the second throws", star, fails, others),
  interested("everybody, and which of them", allWithRoutes),
  interested(
    "everybody by the second of three modules, and which of them by the third",
    star,
    allWithRoutes,
    starToWatcher,
  ),
  row(
    "get_interested_users",
    firstSync,
    "everybody, but then nobody's presence",
    [() => ({ interested: everybody })],
    {
      why: "a user who sees everybody is shown nobody, where Synapse would fail the sync for want of an entry",
      script: script([entry]),
    },
  ),
  row("get_users_for_states", watchedChange, "the change to a user who shares no room", [starToWatcher]),
  row(
    "get_users_for_states",
    watchedChange,
    "the change by the third module, after an exception of the first",
    [fails, nothing, starToWatcher],
  ),
];
