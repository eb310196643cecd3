// Every kind of answer, by the result type of the callback in the catalogue: what the scripted policies are told.
import type { JsonValue } from "../../../bridge/sdk/json.js";
import type { Action, SynapseErrorSpec } from "./script.js";

export interface Answer {
  /** Completes "… answers with". */
  readonly title: string;
  readonly action: Action;
}

const code = (name: string, fields?: Record<string, never> | object): Answer => ({
  title: fields ? `[Codes.${name}, fields]` : `Codes.${name}`,
  action: { answer: { code: name, ...(fields && { fields: fields as never }) } },
});
const value = (given: boolean | string | null): Answer => ({
  title: typeof given === "string" ? `the bare string ${JSON.stringify(given)}` : String(given),
  action: { answer: { value: given } },
});
const shaped = (title: string, given: JsonValue): Answer => ({ title, action: { answer: { value: given } } });
const synapseError = (title: string, error: SynapseErrorSpec): Answer => ({
  title: `a SynapseError ${title}`,
  action: { throw: { synapse_error: error } },
});

const notSpam: Answer = { title: "NOT_SPAM", action: { answer: { not_spam: true } } };
const fields = { "org.example.why": { rule: 7, tags: ["a", null, true], text: "für ☃ 𝒳" } };
const codeWithFields = code("FORBIDDEN", fields);
const ownErrcode: Answer = {
  title: "[Codes.X, fields that name another errcode]",
  action: {
    answer: { code: "FORBIDDEN", fields: { errcode: "ORG.EXAMPLE.NO", error: "because", soft_limit: false } },
  },
};

const bareStrings = [value("go away"), value("")];
const codes = [code("FORBIDDEN"), code("LIMIT_EXCEEDED"), code("ALREADY_JOINED")];
const verdicts = [notSpam, ...codes, codeWithFields, ownErrcode, value(true), value(false), ...bareStrings];

/** What every callback may do besides answering. */
export const errors: readonly Answer[] = [
  synapseError("(403, M_FORBIDDEN)", { code: 403, msg: "not here", errcode: "M_FORBIDDEN" }),
  synapseError("(403) without an errcode", { code: 403, msg: "no reason given" }),
  synapseError("(429) with fields", {
    code: 429,
    msg: "slow down",
    errcode: "M_LIMIT_EXCEEDED",
    additional_fields: { retry_after_ms: 5, ...fields },
  }),
  synapseError("(400) with an errcode of its own", { code: 400, msg: "bad ☃", errcode: "ORG.EXAMPLE.BAD" }),
  synapseError("(503)", { code: 503, msg: "later", errcode: "M_UNKNOWN" }),
  { title: "an exception", action: { throw: { exception: "broken policy" } } },
];

/** The module does nothing out of the ordinary: its answer is the one that passes. */
export const passes: Answer = { title: "what passes", action: {} };

/** By the name of the result type. */
export const answersByResult: Readonly<Record<string, readonly Answer[]>> = {
  EventSpamVerdict: verdicts,
  SpamVerdict: verdicts,
  LoginVerdict: verdicts,
  MediaVerdict: verdicts,
  StateEventVerdict: [notSpam, ...codes, value(true), value(false), ...bareStrings],
  DropVerdict: [value(false), value(true), value("reason to drop"), value("")],
  HideVerdict: [value(false), value(true)],
  RegistrationVerdict: ["ALLOW", "SHADOW_BAN", "DENY"].map((behaviour) => ({
    title: `RegistrationBehaviour.${behaviour}`,
    action: { answer: { behaviour } },
  })),
  EventAllowedVerdict: [
    value(true),
    value(false),
    { title: "the pair [true, null]", action: { answer: { pair: true } } },
    { title: "the pair [false, null]", action: { answer: { pair: false } } },
  ],
  Permission: [value(true), value(false)],
  Edits: [passes],
  Expired: [value(null), value(true), value(false)],
  UploadPermission: [value(true), value(false)],
  ThreepidPermission: [value(true), value(false)],
  RenewalResult: [
    shaped("a valid token", [true, false, 1_300_000_000_000]),
    shaped("a stale token", [false, true, 1_300_000_000_000]),
    shaped("no token", [false, false, 0]),
  ],
  LegacyAdminResult: [
    shaped("a time", 1_300_000_000_000),
    shaped("null", null),
    shaped("any JSON", ["M_FORBIDDEN", { a: [1.5, null], msg: "für ☃" }]),
  ],
  RatelimitOverride: [
    value(null),
    shaped("a high limit", { per_second: 1000.5, burst_count: 1000 }),
    shaped("a low limit", { per_second: 0.001, burst_count: 1 }),
    shaped("a rate of 0, by which Synapse would divide", { per_second: 0, burst_count: 1 }),
  ],
  MediaConfig: [
    value(null),
    shaped("an empty object", {}),
    shaped("an object", { "m.upload.size": 7, "org.example.more": { text: "für ☃", list: [1.5, null] } }),
  ],
  MediaUploadLimits: [
    value(null),
    shaped("an empty list", []),
    shaped("a limit that is far away", [{ max_bytes: 1_000_000, time_period_ms: 60_000 }]),
    shaped("a limit that is exceeded", [{ max_bytes: 3, time_period_ms: 3_600_000 }]),
    shaped("two limits, the longer last", [
      { max_bytes: 3, time_period_ms: 60_000, info_uri: "https://example.org/short" },
      { max_bytes: 4, time_period_ms: 3_600_000, info_uri: "https://example.org/long", can_upgrade: true },
    ]),
  ],
  ChosenName: [value(null), value("Chosen.Name"), value(""), value("not a ☃ name!")],
  PresenceRoutes: [passes],
  InterestedUsers: [passes],
  Nothing: [passes],
};
