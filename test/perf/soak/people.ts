/** Registers the users of the soak, the same on both servers, and gives each a room of their own. */

import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { registerUser, succeeded } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { killers } from "./killers.js";
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
  /** Writes hostile texts, on both servers. */
  readonly writer: Person;
  /** All others are on the bridge's server only. By the name of the killer. */
  readonly killers: ReadonlyMap<string, Actor>;
  /** Sends what breaks a handler, but ends nothing. */
  readonly saboteur: Actor;
  /** Finds out whether modules answer. */
  readonly prober: Actor;
}

const crowd: readonly (readonly [Role, number])[] = [
  ["talker", 36],
  ["creator", 6],
  ["renamer", 3],
];
const NEWCOMER_MS = 60_000;

export async function makePeople(servers: Servers): Promise<People> {
  const { bridge, twin } = servers;
  const persons: Person[] = [];
  for (const [role, count] of crowd) {
    for (let number = 0; number < count; number += 1) persons.push(await person(servers, role, number));
  }
  const writer = await person(servers, "attacker", 0);
  const found = ["soakseen1", "soakhidden1", "soakseen2", "soakhidden2"];
  await Promise.all(
    [bridge, twin].map(async (server) => {
      // Filling the directory of a new server forgets whom it does not know yet.
      await waitFor("the background updates", () => isUpToDate(server), 180_000);
      for (const name of found) await registerUser(server, name);
      const searcher = await registerUser(server, "searcher");
      await waitFor("the user directory", async () => {
        const { body } = await searcher.searchUsers(searchTerm);
        return body.results?.length === 2;
      });
    }),
  );
  const actors = new Map<string, Actor>();
  for (const { name } of killers) actors.set(name, await actor(bridge, name));
  const [saboteur, prober] = [await actor(bridge, "saboteur"), await actor(bridge, "prober")];
  return { persons, writer, killers: actors, saboteur, prober };
}

let newcomers = 0;

/** Somebody who has done nothing yet, on the bridge's server, however often Node ends meanwhile. */
export function newcomer(server: Homeserver): Promise<Actor> {
  return waitFor(
    "a new user",
    () => actor(server, `newcomer${newcomers++}`).catch(() => undefined),
    NEWCOMER_MS,
  );
}

async function person({ bridge, twin }: Servers, role: Role, number: number): Promise<Person> {
  const made = await Promise.all([bridge, twin].map((server) => actor(server, `${role}${number}`)));
  return { role, bridge: made[0] as Actor, twin: made[1] as Actor };
}

function isUpToDate(server: Homeserver): boolean {
  return server.log().includes("No more background updates to do");
}

async function actor(server: Homeserver, name: string): Promise<Actor> {
  const client = await registerUser(server, name);
  const failed = `${name} could not set up a room`;
  const created = await client.createRoom({ preset: "private_chat", name: `room of ${name}` });
  const room: string = succeeded(failed, created).room_id;
  succeeded(failed, await client.setState(room, "soak.rules", "", { word: "forbidden" }));
  return { client, room };
}
