// What a remote join costs who joins: a room of another server with thousands of state events, each of which is a call.
import { makeCertificates } from "../../support/certificates.js";
import { type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { cpuSeconds } from "./measure.js";
import { keyOf, note } from "./rounds.js";
import { MODULES, startWith, type VariantName } from "./variants.js";

const STATE_EVENTS = 2_000;
export const JOIN = `remote join, ${STATE_EVENTS} state events`;

interface Joiner {
  readonly variant: VariantName;
  readonly server: Homeserver;
  readonly user: Client;
}

/** By key, microseconds until it has joined, and of CPU, in each round: each has a room of its own, which all variants join. */
export async function measureJoins(rounds: number): Promise<Map<string, number[]>> {
  const certificates = makeCertificates();
  const servers: Homeserver[] = [];
  const start = async (variant: VariantName & keyof typeof MODULES): Promise<Joiner> => {
    const server = await startWith(MODULES[variant], { federation: certificates });
    servers.push(server);
    return { variant, server, user: await registerUser(server, "bench") };
  };
  const figures = new Map<string, number[]>();
  try {
    const { server: host, user } = await start("none");
    const joiners = [await start("none"), await start("python"), await start("bridge")];
    for (let round = 0; round <= rounds; round++) {
      const room = await createRoom(user);
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
    }
    return figures;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    certificates.remove();
  }
}

async function createRoom(user: Client): Promise<string> {
  const initial_state = Array.from({ length: STATE_EVENTS }, (_, index) => ({
    type: "bench.state",
    state_key: String(index),
    content: { body: `event ${index}` },
  }));
  const { status, body } = await user.createRoom({ preset: "public_chat", initial_state });
  if (status !== 200) throw new Error(`the room of the benchmark: ${status} ${JSON.stringify(body)}`);
  return body.room_id;
}

async function join({ server, user }: Joiner, room: string, via: string) {
  const before = await cpuSeconds(server);
  const started = performance.now();
  const { status, body } = await user.join(room, [via]);
  if (status !== 200) throw new Error(`the remote join: ${status} ${JSON.stringify(body)}`);
  return { max: (performance.now() - started) * 1e3, cpu: ((await cpuSeconds(server)) - before) * 1e6 };
}
