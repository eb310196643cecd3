// What modules find in state_events: by get, getMany, all and keys, fetched on demand and sent along.
import type { Row } from "./rows.js";
import type { Action } from "./script.js";
import { triggersOf } from "./triggers.js";

const look: NonNullable<Action["look"]> = {
  get: [
    ["m.room.create", ""],
    ["m.room.power_levels", ""],
    ["m.room.member", "@nobody:example.org"],
    ["m.room.topic", "none such"],
    ["org.example.☃", ""],
  ],
  getMany: [
    ["m.room.member", null],
    ["m.room.join_rules", ""],
    ["m.room.none", null],
  ],
};

const callbacks = [
  "check_event_allowed",
  "check_threepid_can_be_invited",
  "check_visibility_can_be_modified",
  "on_new_event",
];

export const stateRows: readonly Row[] = callbacks.flatMap((callback) =>
  triggersOf(callback).map((trigger) => ({
    callback,
    trigger,
    answer: "what passes, after looking at the state by get, getMany, all and keys",
    script: () => ({
      first: { [callback]: { look } },
      second: { [callback]: { look } },
      third: { [callback]: { look } },
    }),
  })),
);
