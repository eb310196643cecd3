import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  type DecisionOutcome,
  startSynapse,
  type TestSynapse,
  type User,
} from "synapse-module-bridge/testing/synapse";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { cacheWithVenv } from "../../support/prepared-venv.js";
import { temporaryFolder } from "../../support/temporary-folder.js";

const folder = temporaryFolder();
const forbidden = { status: 403, errcode: "M_FORBIDDEN" };
let hs: TestSynapse;
let list: string;
let moderator: User;
let alice: User;

// The list is a room of another server, so its id is known only when the servers run.
beforeAll(async () => {
  process.env.XDG_CACHE_HOME = cacheWithVenv();
  const config_file = folder.write("lists.json", JSON.stringify({ lists: ["!none:test.localhost"] }));
  hs = await startSynapse({
    modules: [
      {
        path: "examples/policies/ban-lists.ts",
        config_file,
        grants: ["broadcast", "update_room_membership"],
      },
    ],
    servers: 2,
  });
  moderator = await peer().user("moderator");
  list = await moderator.createRoom({ preset: "public_chat" });
  await ban("user", `@spammer:${peer().server_name}`);
  [alice] = await Promise.all([hs.user("alice"), hs.user("reader"), hs.user("admin", { admin: true })]);
  const config = { lists: [list], reader: `@reader:${hs.server_name}`, via: [peer().server_name] };
  folder.write("lists.json", JSON.stringify(config));
  expect(await hs.reload()).toBe(true);
  // The reader joins by itself.
  const members = () => moderator.state(list, "m.room.member", config.reader);
  await waitFor("the reader to join", () =>
    members().then(
      ({ membership }) => membership === "join",
      () => false,
    ),
  );
}, 150_000);
afterAll(async () => {
  await hs?.close();
  folder.remove();
});

function peer() {
  const [first] = hs.peers;
  if (!first) throw new Error("there is no peer");
  return first;
}

const ban = (kind: string, entity: string) =>
  moderator.setState(
    list,
    `m.policy.rule.${kind}`,
    { entity, recommendation: "m.ban", reason: "spam" },
    `rule:${entity}`,
  );

/** Waits for what becomes of an attempt; how soon is what the tests measure. */
const settles = (what: string, attempt: () => Promise<unknown>, succeeds: boolean) =>
  waitFor(
    what,
    () =>
      attempt().then(
        () => succeeds,
        () => !succeeds,
      ),
    10_000,
  );

test("the rules that a list had before are in force", async () => {
  const spammer = await peer().user("spammer");
  const room = await spammer.createRoom({ preset: "private_chat" });
  await settles("the invite to be refused", () => spammer.invite(room, alice.user_id), false);
  const own = await alice.createRoom();
  await expect(alice.invite(own, spammer.user_id)).rejects.toMatchObject(forbidden);
  const [decision] = await hs.decisions({ callback: "user_may_invite", outcome: "refused" });
  expect(decision?.reason).toBe("banned by a rule about a user");
});

test("messages of a banned user are not shown, from seconds after the rule was made until it is redacted", async () => {
  const troll = await peer().user("troll");
  const room = await alice.createRoom({ preset: "public_chat" });
  await troll.join(room, [hs.server_name]);
  const isShown = async (text: string) => {
    const event = await troll.send(room, text);
    const judged = (outcome: DecisionOutcome) =>
      hs.decisions({ callback: "check_event_for_spam", event, outcome });
    return waitFor("the message to be judged", async () => {
      if ((await judged("refused")).length > 0) return { shown: false };
      if ((await judged("allowed")).length === 0) return undefined;
      const shown = (await alice.messages(room)).some(({ event_id }) => event_id === event);
      return shown && { shown };
    }).then(({ shown }) => shown);
  };
  expect(await isShown("first")).toBe(true);
  const rule = await ban("user", "@tr?ll:*");
  await waitFor("the ban", async () => !(await isShown("while it is made")), 10_000);
  expect((await hs.decisions({ user: troll.user_id, room }))[0]).toMatchObject({ outcome: "refused" });
  await moderator.redact(list, rule);
  await waitFor("the end of the ban", () => isShown("while it is redacted"), 10_000);
}, 60_000);

test("nobody joins a banned room; who is in it may leave, and a local user who is banned, too", async () => {
  const bob = await hs.user("bob");
  const [first, second] = [
    await alice.createRoom({ preset: "public_chat" }),
    await alice.createRoom({ preset: "public_chat" }),
  ];
  await bob.join(first);
  await ban("room", first);
  const carol = await hs.user("carol");
  await settles("the room to be banned", () => carol.join(first).then(() => carol.leave(first)), false);
  await bob.leave(first);

  await bob.join(second);
  await ban("user", `@*:${hs.server_name}`);
  await settles("bob to be banned", () => carol.join(second).then(() => carol.leave(second)), false);
  await bob.leave(second);
  await expect(bob.join(second)).rejects.toMatchObject(forbidden);
  const admin = await hs.user("admin");
  await admin.join(second);

  const found = async (name: string) =>
    (await alice.request("POST", "/_matrix/client/v3/user_directory/search", { search_term: name })).results
      .length;
  expect([await found("bob"), await found("admin")]).toEqual([0, 1]);
});
