// Traffic of another homeserver that makes Synapse ask the callbacks of the federated kind.
import { randomUUID } from "node:crypto";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { type Client, registerUser } from "../../support/client.js";
import type { Side } from "./sides.js";
import type { Trigger } from "./trigger.js";

const fewAnswers = ["what passes", "NOT_SPAM", "Codes.FORBIDDEN", "a SynapseError (403, M_FORBIDDEN)"];

/** The text messages that a member of the room finds in it. */
async function bodiesSeenBy(reader: Client, room: string): Promise<string[]> {
  const { body } = await reader.messages(room, 20);
  const found: string[] = [];
  for (const event of body.chunk) if (typeof event.content.body === "string") found.push(event.content.body);
  return found;
}

/** Rita's next message, with nothing scripted: once it has come, what came before it has been dealt with. */
async function nextMessageArrives({ alice, rita, shared }: Side): Promise<void> {
  const marker = `marker ${randomUUID()}`;
  await rita.say(shared, marker);
  const arrived = async () => (await bodiesSeenBy(alice, shared)).includes(marker);
  await waitFor("rita's next message", arrived, 15_000);
}

/** After some answers the other server leaves us alone for a while; it stops that once it hears of us. */
async function endBackOff({ alice, rita, shared }: Side): Promise<void> {
  const marker = `marker ${randomUUID()}`;
  await alice.say(shared, marker);
  const arrived = async () => (await bodiesSeenBy(rita, shared)).includes(marker);
  await waitFor("alice's message to reach the other server", arrived, 15_000);
}

/** A message of rita's in the shared room; `callback` is asked about it. */
const remoteMessage = (callback: string): Trigger => ({
  title: "a message from another server",
  remoteUser: true,
  distinctCalls: true,
  when: (side) => ({ "event.sender": side.rita.userId }),
  prepare: endBackOff,
  async act(side, _prepared, n) {
    const { alice, rita, shared } = side;
    const body = `from afar ${n}`;
    const answer = await rita.say(shared, body);
    const asked = () =>
      side.seen().some((seen) => seen.callback === callback && contentBody(seen.params) === body);
    await waitFor(`${callback} to be asked about ${body}`, asked, 15_000);
    const effect = async () => {
      await nextMessageArrives(side);
      return { seen: (await bodiesSeenBy(alice, shared)).includes(body) };
    };
    return { answers: [answer], effect };
  },
});

// biome-ignore lint/suspicious/noExplicitAny: any JSON
const contentBody = (params: any): unknown => params.event?.content?.body;

/** Rita invites a local user to a room of her server. */
const remoteInvite: Trigger = {
  title: "an invite from another server",
  remoteUser: true,
  distinctCalls: true,
  async prepare(side, n) {
    const invitee = await side.user(`wanted${n}`);
    const { body } = await side.rita.createRoom({ preset: "private_chat", name: "Far away" });
    side.names.set(body.room_id, "<the far room>");
    return { invitee, room: body.room_id };
  },
  async act({ rita }, { invitee, room }: { invitee: Client; room: string }) {
    const answer = await rita.invite(room, invitee.userId);
    const effect = async () => Object.keys((await invitee.sync()).body.rooms?.invite ?? {});
    return { answers: [answer], effect };
  },
};

/** A user of the other server joins a room of ours. */
export const remoteJoin: Trigger = {
  title: "a join by a user of another server",
  remoteUser: true,
  distinctCalls: true,
  async prepare(side, n) {
    const visitor = await registerUser(side.remote, `visitor${n}of${side.server.pid}`);
    side.names.set(`visitor${n}of${side.server.pid}`, "visitor");
    await endBackOff(side);
    const { body } = await side.alice.createRoom({ preset: "public_chat" });
    side.names.set(body.room_id, "<the visited room>");
    return { visitor, room: body.room_id };
  },
  async act(side, { visitor, room }: { visitor: Client; room: string }) {
    const answer = await visitor.join(room, [side.server.serverName]);
    const effect = async () =>
      (await side.alice.getState(room, "m.room.member", visitor.userId)).body.membership;
    return { answers: [answer], effect };
  },
};

/** A local user joins a room of the other server. */
const joinAfar: Trigger = {
  title: "a join to a room of another server",
  // 1.100 waits without end for the room's state before it tells modules of the join (on_new_event).
  since: "1.110.0",
  distinctCalls: true,
  only: fewAnswers,
  async prepare(side, n) {
    const traveller = await side.user(`traveller${n}`);
    const { body } = await side.rita.createRoom({ preset: "public_chat", name: "Far away" });
    side.names.set(body.room_id, "<the far room>");
    return { traveller, room: body.room_id };
  },
  async act(side, { traveller, room }: { traveller: Client; room: string }) {
    const answer = await traveller.join(room, [side.remote.serverName]);
    const effect = async () =>
      (await side.rita.getState(room, "m.room.member", traveller.userId)).body.membership;
    return { answers: [answer], effect };
  },
};

/** A local user downloads a file that the other server has. */
const remoteMedia: Trigger = {
  title: "a download from another server",
  only: fewAnswers,
  prepare: async (side, n) => (await side.rita.upload(`far file ${n}`)).body.content_uri,
  async act({ alice, bob }, uri: string) {
    const answer = await alice.download(uri);
    return { answers: [answer], effect: async () => (await bob.download(uri)).text };
  },
};

export const federatedTriggers: Readonly<Record<string, readonly Trigger[]>> = {
  check_event_for_spam: [remoteMessage("check_event_for_spam")],
  should_drop_federated_event: [
    remoteMessage("should_drop_federated_event"),
    // Before, Synapse did not ask about invites.
    { ...remoteInvite, since: "1.130.0", only: ["false", "true", "a SynapseError (403, M_FORBIDDEN)"] },
  ],
  user_may_join_room: [joinAfar],
  user_may_invite: [{ ...remoteInvite, only: [...fewAnswers, "an exception"] }],
  federated_user_may_invite: [remoteInvite],
  check_media_file_for_spam: [remoteMedia],
  check_event_allowed: [remoteJoin],
  on_new_event: [remoteMessage("on_new_event")],
};
