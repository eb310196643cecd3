/** Registers the users of the soak, the same on both servers, and gives each a room of their own. */
import { registerUser } from "../homeserver/client.js";
import type { Homeserver } from "../homeserver/homeserver.js";
import { waitFor } from "../homeserver/wait.js";
import { type Actor, type Role, searchTerm } from "./operations.js";
import type { Servers } from "./servers.js";

/** One user, on both servers. */
export interface Person {
  readonly role: Role;
  readonly bridge: Actor;
  readonly twin: Actor;
}

export interface People {
  readonly persons: readonly Person[];
  /** Sends the messages that break things, on the bridge's server only. */
  readonly saboteur: Actor;
}

const crowd: readonly (readonly [Role, number])[] = [
  ["talker", 36],
  ["creator", 6],
  ["renamer", 3],
];

export async function makePeople({ bridge, twin }: Servers): Promise<People> {
  const persons: Person[] = [];
  for (const [role, count] of crowd) {
    for (let number = 0; number < count; number += 1) {
      const [left, right] = await Promise.all(
        [bridge, twin].map((server) => actor(server, `${role}${number}`)),
      );
      persons.push({ role, bridge: left as Actor, twin: right as Actor });
    }
  }
  const found = ["soakseen1", "soakhidden1", "soakseen2", "soakhidden2"];
  await Promise.all(
    [bridge, twin].map(async (server) => {
      // Filling the directory of a new server forgets whom it does not know yet.
      await waitFor("the background updates", () => isUpToDate(server), 180_000);
      for (const name of found) await registerUser(server, name);
      const searcher = await registerUser(server, "searcher");
      await waitFor("the user directory", async () => {
        const { body } = await searcher.searchUsers(searchTerm);
        return body.results?.length === 2 || undefined;
      });
    }),
  );
  return { persons, saboteur: await actor(bridge, "saboteur") };
}

function isUpToDate(server: Homeserver): true | undefined {
  return server.log().includes("No more background updates to do") || undefined;
}

async function actor(server: Homeserver, name: string): Promise<Actor> {
  const client = await registerUser(server, name);
  const { body } = await client.createRoom({ preset: "private_chat", name: `room of ${name}` });
  const room: string = body.room_id;
  const { status } = await client.setState(room, "soak.rules", "", { word: "forbidden" });
  if (status !== 200) throw new Error(`${name} could not set up a room: ${status} ${JSON.stringify(body)}`);
  return { client, room };
}
