// Makes the users of `dev`, and prints how to act as them.
import type { Server } from "../testing/synapse/server.js";
import type { User } from "../testing/synapse/user.js";

const ALIAS = "lobby";

/** What to print of the users, and of the room that they share. */
export async function introduce(server: Server): Promise<string> {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const admin = await server.user("admin", { admin: true });
  const room = await shareRoom(server, alice, bob);
  const rows = [alice, bob, admin].map(
    ({ user_id, password, access_token }) => `  ${user_id}  password: ${password}  token: ${access_token}`,
  );
  const as = (user: User) => `-H 'Authorization: Bearer ${user.access_token}'`;
  const url = `${server.baseUrl}/_matrix/client/v3`;
  const at = (room_id: string) => `${url}/rooms/${encodeURIComponent(room_id)}`;
  const tries =
    "id" in room
      ? [
          ...[alice, bob].map(
            (user) =>
              `  curl -X PUT ${as(user)} -d '{"msgtype":"m.text","body":"hello"}' '${at(room.id)}/send/m.room.message/'$RANDOM`,
          ),
          `  curl -X POST ${as(alice)} -d '{"user_id":"${admin.user_id}"}' '${at(room.id)}/invite'`,
          `  curl ${as(bob)} '${at(room.id)}/messages?dir=b&limit=5'`,
        ]
      : [`  curl -X POST ${as(alice)} -d '{"preset":"public_chat"}' '${url}/createRoom'`];
  const about =
    "id" in room
      ? `The room ${room.id} has alice and bob; alice made it.`
      : `There is no room yet: ${room.why}`;
  return ["Users:", ...rows, about, "Try:", ...tries, "Save a file to load it again. Ctrl-C ends all."].join(
    "\n",
  );
}

/** The module may refuse any of it. */
async function shareRoom(server: Server, alice: User, bob: User): Promise<{ id: string } | { why: string }> {
  try {
    const id = await roomOf(server, alice);
    await bob.join(id);
    return { id };
  } catch (error) {
    return { why: (error as Error).message };
  }
}

async function roomOf(server: Server, alice: User): Promise<string> {
  const alias = encodeURIComponent(`#${ALIAS}:${server.server_name}`);
  try {
    return (await alice.request("GET", `/_matrix/client/v3/directory/room/${alias}`)).room_id;
  } catch {
    return alice.createRoom({ preset: "public_chat", room_alias_name: ALIAS });
  }
}
