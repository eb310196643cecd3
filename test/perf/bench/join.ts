// What a remote join costs who joins: a room of another server with thousands of state events, each of which is a call.
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { makeCertificates } from "../../support/certificates.js";
import { type Client, registerUser, succeeded } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { cpuSeconds } from "./measure.js";
import { keyOf, note } from "./rounds.js";
import { MODULES, startWith, type VariantName } from "./variants.js";

const STATE_EVENTS = 2_000;
// Synapse takes a second or two.
const DELETION_MS = 60_000;
export const JOIN = `remote join, ${STATE_EVENTS} state events`;

interface Joiner {
  readonly variant: VariantName;
  readonly server: Homeserver;
  readonly user: Client;
}

/**
 * By key, microseconds until it has joined, and of CPU, in each round. All join the same room, as Synapse takes minutes to
 * make it; after each round they leave it, and delete all that they have of it.
 */
export async function measureJoins(rounds: number): Promise<Map<string, number[]>> {
  const certificates = makeCertificates();
  const servers: Homeserver[] = [];
  const start = async (variant: VariantName & keyof typeof MODULES): Promise<Joiner> => {
    const server = await startWith(MODULES[variant], { federation: certificates });
    servers.push(server);
    return { variant, server, user: await registerUser(server, "bench", { admin: true }) };
  };
  const figures = new Map<string, number[]>();
  try {
    const { server: host, user } = await start("none");
    const joiners: Joiner[] = [];
    for (const variant of ["none", "python", "bare", "bridge"] as const) joiners.push(await start(variant));
    const room = await createRoom(user);
    for (let round = 0; round <= rounds; round++) {
      for (const [index] of joiners.entries()) {
        const joiner = joiners[(index + round) % joiners.length] as Joiner;
        const taken = await join(joiner, room, host.serverName);
        // The first round fetches keys, and warms up.
        if (round === 0) continue;
        const keyed = Object.entries(taken).map(
          ([figure, value]) => [keyOf(JOIN, joiner.variant, figure), value] as const,
        );
        note(figures, new Map(keyed));
      }
      await Promise.all(joiners.map(({ user }) => deleteRoom(user, room)));
    }
    return figures;
  } finally {
    await Promise.all(servers.map((server) => server.stop())).finally(() => certificates.remove());
  }
}

/** One state event after the other: for many in `initial_state`, Synapse looks through all before it for each. */
async function createRoom(user: Client): Promise<string> {
  const created = await user.createRoom({ preset: "public_chat" });
  const room = succeeded("the room of the benchmark", created).room_id;
  for (let index = 0; index < STATE_EVENTS; index++) {
    const set = await user.setState(room, "bench.state", String(index), { body: `event ${index}` });
    succeeded(`state event ${index} of the benchmark's room`, set);
  }
  return room;
}

async function join({ server, user }: Joiner, room: string, via: string) {
  const before = await cpuSeconds(server);
  const started = performance.now();
  succeeded("the remote join", await user.join(room, [via]));
  return { max: (performance.now() - started) * 1e3, cpu: ((await cpuSeconds(server)) - before) * 1e6 };
}

/** As if its server had never joined. */
async function deleteRoom(user: Client, room: string): Promise<void> {
  const path = `v2/rooms/${encodeURIComponent(room)}`;
  const { delete_id } = succeeded("a room's deletion", await user.admin("DELETE", path, { purge: true }));
  await waitFor(
    "Synapse to delete a room",
    async () => {
      const { status } = succeeded(
        "the state of a room's deletion",
        await user.admin("GET", `v2/rooms/delete_status/${delete_id}`),
      );
      if (status === "failed") throw new Error("Synapse could not delete a room");
      return status === "complete";
    },
    DELETION_MS,
  );
}
