/** Which of Synapse's processes asks about what: each callback that is forwarded, by all that triggers it. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { type Certificates, makeCertificates } from "../../support/certificates.js";
import { contextWarnings, logged } from "../../support/log.js";
import type { Side } from "../differential/sides.js";
import { triggeredCallbacks, triggersOf } from "../differential/triggers.js";
import { type Deployed, deploy } from "./deployed.js";
import { type DeployedSides, startDeployedSides } from "./deployed-sides.js";

interface Place {
  readonly title: string;
  /** The processes that ask, by the process that gets the request; Synapse does not serve the others there. */
  readonly asks: Readonly<Record<string, readonly string[]>>;
  readonly triggers: Readonly<Record<string, readonly string[]>>;
}

const always = (...processes: string[]) => ({ main: processes, worker1: processes });

const places: readonly Place[] = [
  {
    title: "the process that got the request",
    asks: { main: ["main"], worker1: ["worker1"] },
    triggers: {
      check_event_allowed: ["a message", "a state event", "a user's own leave"],
      check_event_for_spam: ["a message", "a state event"],
      check_login_for_spam: ["a login"],
      check_media_file_for_spam: ["a download from another server"],
      check_registration_for_spam: ["a registration"],
      check_threepid_can_be_invited: ["an invite by email"],
      check_username_for_spam: ["a search of the user directory"],
      check_visibility_can_be_modified: ["a new room that is public"],
      check_can_deactivate_user: ["a user's own deactivation"],
      get_displayname_for_registration: ["a registration"],
      get_interested_users: ["a first sync"],
      get_media_config_for_user: ["a look at the media configuration"],
      get_ratelimit_override_for_user: ["two invites"],
      get_username_for_registration: ["a registration"],
      is_user_expired: ["an authenticated request"],
      on_create_room: ["a new room"],
      on_user_login: ["a login"],
      on_user_registration: ["a registration"],
      user_may_create_room: ["a new room"],
      user_may_create_room_alias: ["a room alias"],
      user_may_invite: ["an invite"],
      user_may_join_room: ["a join", "an accepted invite", "a join to a room of another server"],
      user_may_send_3pid_invite: ["an invite by email"],
      user_may_send_state_event: ["a state event"],
    },
  },
  {
    title: "the main process, which alone serves the request",
    asks: { main: ["main"] },
    triggers: {
      check_media_file_for_spam: ["an upload", "an image and its thumbnails"],
      check_registration_for_spam: ["a registration by the shared secret"],
      check_visibility_can_be_modified: ["a room that is published"],
      get_media_config_for_user: ["a look at the old endpoint"],
      get_media_upload_limits_for_user: ["an upload"],
      is_3pid_allowed: ["a phone number that is to be registered"],
      is_user_allowed_to_upload_media_of_size: ["an upload"],
      on_legacy_admin_request: ["an admin's request"],
      on_legacy_renew: ["a renewal link"],
      on_legacy_send_mail: ["a client that asks for a mail"],
      on_logged_out: ["a logout"],
      on_media_upload_limit_exceeded: ["an upload beyond the limit"],
      user_may_create_room: ["a room upgrade"],
      user_may_publish_room: ["a room that is published"],
    },
  },
  {
    title: "the main process, whichever got the request",
    asks: always("main"),
    triggers: {
      check_can_deactivate_user: ["a deactivation by an admin"],
      check_can_shutdown_room: ["a room that an admin deletes"],
      on_account_data_updated: ["global account data", "a room's account data"],
      on_add_user_third_party_identifier: ["an email address that is added"],
      on_event_delivered_over_federation: ["a message that another server has received"],
      on_profile_update: ["an erasure"],
      on_remove_user_third_party_identifier: ["an email address that is removed"],
      on_threepid_bind: ["an email address that is added"],
      on_user_deactivation_status_changed: ["a deactivation by an admin", "a user's own deactivation"],
    },
  },
  {
    // Synapse calls it in every process.
    title: "the process that runs background tasks",
    asks: always("main"),
    triggers: { on_new_event: ["a message", "a state event", "a message from another server"] },
  },
  {
    title: "the process that writes events",
    asks: always("persister1"),
    triggers: {
      on_profile_update: [
        "a new display name",
        "a new display name that goes on to the user's room",
        "a profile that an admin changes",
      ],
    },
  },
  {
    title: "every process that tells of somebody's presence",
    asks: always("main", "persister1", "worker1"),
    triggers: { get_users_for_states: ["a change"] },
  },
  {
    title: "the process that other servers talk to",
    asks: always("worker1"),
    triggers: {
      check_event_allowed: ["a join by a user of another server"],
      check_event_for_spam: ["a message from another server"],
      federated_user_may_invite: ["an invite from another server"],
      on_event_delivered_over_federation: ["a join by a user of another server"],
      should_drop_federated_event: ["a message from another server", "an invite from another server"],
      user_may_invite: ["an invite from another server"],
    },
  },
];

// On PostgreSQL Synapse 1.163.2 answers it with 500 until it has finished its tables.
const untried = new Set(["on_user_deactivation_status_changed: a reactivation"]);

let certificates: Certificates;
let deployed: Deployed;
let sides: DeployedSides;
let number = 0;

beforeAll(async () => {
  certificates = makeCertificates();
  deployed = await deploy(
    {},
    {
      workers: ["worker1"],
      writers: { events: ["persister1"] },
      federation: { on: "worker1", certificates },
    },
  );
  sides = await startDeployedSides(deployed, certificates);
}, 90_000);

afterAll(async () => {
  await sides?.stop();
  await deployed?.stop();
  certificates?.remove();
});

test("the table has every trigger of every callback", () => {
  const all = triggeredCallbacks.flatMap((callback) =>
    triggersOf(callback).map(({ title }) => `${callback}: ${title}`),
  );
  const listed = places.flatMap(({ triggers }) =>
    Object.entries(triggers).flatMap(([callback, titles]) => titles.map((title) => `${callback}: ${title}`)),
  );
  const tried = all.filter((row) => !untried.has(row));
  expect(listed.sort()).toEqual(tried.sort());
});

/** The processes that ask, once there are so many. */
async function processesAsking(side: Side, callback: string, title: string, many: number): Promise<string[]> {
  const trigger = triggersOf(callback).find((trigger) => trigger.title === title);
  if (!trigger) throw new Error(`${callback} is not triggered by ${title}`);
  number += 1;
  const prepared = await trigger.prepare?.(side, number);
  deployed.forget();
  await trigger.act(side, prepared, number);
  const asking = () => {
    const calls = deployed.seen().filter((call) => call.callback === callback);
    return [...new Set(calls.map(({ process }) => process))];
  };
  await waitFor(`${callback} to be asked`, () => asking().length >= many);
  return asking().sort();
}

for (const { title, asks, triggers } of places) {
  const rows = Object.entries(asks).flatMap(([through, asking]) =>
    Object.entries(triggers).flatMap(([callback, titles]) =>
      titles.map((trigger) => ({ callback, trigger, through, asking })),
    ),
  );
  describe(`${title} asks`, () => {
    test.each(rows)("$callback about $trigger through $through", async (row) => {
      const { callback, trigger, through, asking } = row;
      const found = await processesAsking(sides.asking(through), callback, trigger, asking.length);
      expect(found).toEqual(asking);
    });
  });
}

test("on_new_event is asked once for each event, whoever got it", async () => {
  deployed.forget();
  const sent: string[] = [];
  for (const process of ["main", "worker1", "persister1", "main"]) {
    const { alice, room } = sides.asking(process);
    for (const n of [1, 2, 3]) sent.push((await alice.say(room, `${n}`)).body.event_id);
  }
  const told = () =>
    deployed
      .seen()
      .filter(({ callback }) => callback === "on_new_event")
      .map(({ event_id }) => event_id);
  await waitFor("the last event", () => told().includes(sent.at(-1)));
  expect(told()).toEqual(sent);
});

test("no process has mishandled a log context, nor left an error unhandled", () => {
  for (const process of Object.values(deployed.processes)) {
    expect(contextWarnings(process)).toEqual([]);
    expect(logged(process, "Unhandled")).toEqual([]);
    expect(logged(process, "outcome=policy")).toEqual([]);
  }
});
