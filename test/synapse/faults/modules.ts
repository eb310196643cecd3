/** Where the modules of these tests are, what they are told to do, and what they have written down. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../support/paths.js";

export const modulePath = (name: string) => join(projectRoot, "test/synapse/faults/modules", name);

/** A message that orders the module `behave` about. */
export const order = (
  act: string,
  more: { readonly callback?: string; readonly body?: string; readonly [key: string]: unknown } = {},
) => {
  const { callback = "check_event_allowed", body = act, ...rest } = more;
  return { msgtype: "m.text", body, order: { callback, act, ...rest } };
};

export const lines = (path: string) =>
  existsSync(path)
    ? readFileSync(path, "utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];
