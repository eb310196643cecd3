// Several modules: who is asked, whose answer counts, and what an error of one does to the others.
import type { Row } from "./rows.js";
import type { Action, AnswerSpec, Script } from "./script.js";
import type { Side } from "./sides.js";
import { triggersOf } from "./triggers.js";

interface Kind {
  readonly callbacks: readonly string[];
  /** Two ways to let pass, and two to refuse. */
  readonly passes: readonly AnswerSpec[];
  readonly refuses: readonly [AnswerSpec, AnswerSpec];
}

const forbidden: AnswerSpec = { code: "FORBIDDEN" };
const otherCode: AnswerSpec = { code: "LIMIT_EXCEEDED", fields: { retry_after_ms: 9 } };
const yes: AnswerSpec = { value: true };
const no: AnswerSpec = { value: false };
const none: AnswerSpec = { value: null };
const notSpam: AnswerSpec = { not_spam: true };

const kinds: readonly Kind[] = [
  {
    callbacks: ["check_event_for_spam", "check_media_file_for_spam"],
    passes: [notSpam, no],
    refuses: [forbidden, yes],
  },
  {
    callbacks: [
      "user_may_join_room",
      "user_may_invite",
      "federated_user_may_invite",
      "user_may_send_3pid_invite",
      "user_may_create_room",
      "user_may_create_room_alias",
      "user_may_publish_room",
    ],
    passes: [notSpam, yes],
    refuses: [otherCode, no],
  },
  {
    callbacks: ["user_may_send_state_event", "check_login_for_spam"],
    passes: [notSpam],
    refuses: [{ code: "LIMIT_EXCEEDED" }, no],
  },
  {
    callbacks: ["should_drop_federated_event"],
    passes: [no, { value: "" }],
    refuses: [yes, { value: "drop it" }],
  },
  { callbacks: ["check_username_for_spam"], passes: [no], refuses: [yes, yes] },
  {
    callbacks: ["check_registration_for_spam"],
    passes: [{ behaviour: "ALLOW" }],
    refuses: [{ behaviour: "SHADOW_BAN" }, { behaviour: "DENY" }],
  },
  {
    callbacks: ["check_event_allowed"],
    passes: [yes, { pair: true }],
    refuses: [no, { pair: false }],
  },
  {
    callbacks: [
      "check_threepid_can_be_invited",
      "check_visibility_can_be_modified",
      "check_can_shutdown_room",
      "check_can_deactivate_user",
      "is_user_allowed_to_upload_media_of_size",
      "is_3pid_allowed",
    ],
    passes: [yes],
    refuses: [no, no],
  },
  { callbacks: ["is_user_expired"], passes: [none], refuses: [yes, no] },
  {
    callbacks: ["get_ratelimit_override_for_user"],
    passes: [none],
    refuses: [
      { value: { per_second: 0.001, burst_count: 1 } },
      { value: { per_second: 1000, burst_count: 1000 } },
    ],
  },
  {
    callbacks: ["get_media_config_for_user"],
    passes: [none, { value: {} }],
    refuses: [{ value: { "m.upload.size": 1 } }, { value: { "m.upload.size": 2 } }],
  },
  {
    callbacks: ["get_media_upload_limits_for_user"],
    passes: [none],
    refuses: [{ value: [] }, { value: [{ max_bytes: 3, time_period_ms: 60_000 }] }],
  },
  {
    callbacks: ["get_username_for_registration", "get_displayname_for_registration"],
    passes: [none],
    refuses: [{ value: "one.of.several" }, { value: "another.of.several" }],
  },
];

const notified = [
  "on_new_event",
  "on_profile_update",
  "on_user_deactivation_status_changed",
  "on_threepid_bind",
  "on_add_user_third_party_identifier",
  "on_remove_user_third_party_identifier",
  "on_logged_out",
  "on_account_data_updated",
  "on_event_delivered_over_federation",
];
const awaited = ["on_user_registration", "on_user_login", "on_media_upload_limit_exceeded"];
const broken: Action = { throw: { exception: "broken policy" } };
const refusedByError: Action = {
  throw: { synapse_error: { code: 403, msg: "third", errcode: "M_FORBIDDEN" } },
};

function row(callback: string, answer: string, actions: readonly (Action | undefined)[]): Row {
  const [trigger] = triggersOf(callback);
  if (!trigger) throw new Error(`no trigger for ${callback}`);
  const script = (side: Side, n: number): Script => {
    const when = trigger.when?.(side, n);
    const given = (action: Action | undefined) =>
      action && { [callback]: when ? { ...action, when } : action };
    const [first = trigger.also, second, third] = actions.map(given);
    return {
      ...(first && { first: { ...trigger.also, ...first } }),
      ...(second && { second }),
      ...(third && { third }),
    };
  };
  return { callback, trigger, answer, script };
}

const answering = (answer: AnswerSpec | undefined): Action | undefined => answer && { answer };

export const severalRows: readonly Row[] = [
  ...kinds.flatMap(({ callbacks, passes, refuses: [refuse, otherwise] }) =>
    callbacks.flatMap((callback) => [
      row(callback, "a pass, a refusal and another refusal of three modules", [
        answering(passes[0]),
        answering(refuse),
        answering(otherwise),
      ]),
      row(callback, "a pass of another form, a pass and a refusal of three modules", [
        answering(passes.at(-1)),
        answering(passes[0]),
        answering(otherwise),
      ]),
      row(callback, "a refusal of the first of three modules, of which the second would throw", [
        answering(otherwise),
        broken,
        undefined,
      ]),
    ]),
  ),
  ...[
    "check_event_for_spam",
    "user_may_invite",
    "check_event_allowed",
    "check_registration_for_spam",
  ].flatMap((callback) => [
    row(callback, "a pass, an exception and a SynapseError of three modules", [
      undefined,
      broken,
      refusedByError,
    ]),
    row(callback, "two passes and a SynapseError of three modules", [undefined, undefined, refusedByError]),
  ]),
  row(
    "check_event_allowed",
    "a replacement of the first of three modules, of which the second would refuse",
    [
      { answer: { replace: { content: [{ path: ["body"], set: "replaced" }] }, as: "fields" } },
      answering(no),
      undefined,
    ],
  ),
  row("check_event_allowed", "a pass, and replacements of two modules", [
    undefined,
    { answer: { replace: { content: [{ path: ["body"], set: "second" }] }, as: "fields" } },
    { answer: { replace: { content: [{ path: ["body"], set: "third" }] }, as: "pair" } },
  ]),
  row("on_create_room", "a SynapseError of the third of three modules", [
    undefined,
    undefined,
    refusedByError,
  ]),
  row("on_create_room", "an exception of the second of three modules", [undefined, broken, refusedByError]),
  ...awaited.flatMap((callback) => [
    row(callback, "an exception of the second of three modules", [undefined, broken, refusedByError]),
    row(callback, "a SynapseError of the third of three modules", [undefined, undefined, refusedByError]),
  ]),
  ...notified.map((callback) =>
    row(callback, "errors of the first two of three modules", [broken, refusedByError]),
  ),
];
