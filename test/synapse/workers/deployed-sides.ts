/** What the comparison's triggers need, for a deployment: its users ask one process, and another server talks to it. */

import type { Certificates } from "../../support/certificates.js";
import type { Client } from "../../support/client.js";
import { registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { type IdentityServer, startIdentityServer } from "../../support/identity-server.js";
import type { Side } from "../differential/sides.js";
import type { Deployed } from "./deployed.js";

export interface DeployedSides {
  /** The same users, whose requests go to that process; admins ask the main one. */
  asking(process: string): Side;
  stop(): Promise<void>;
}

export async function startDeployedSides(
  deployed: Deployed,
  certificates: Certificates,
): Promise<DeployedSides> {
  const remote = await startHomeserver({ federation: certificates });
  const identity = await startIdentityServer(certificates);
  const stop = async () => {
    await remote.stop();
    await identity.close();
  };
  try {
    return { asking: await settle(deployed, remote, identity), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function settle(deployed: Deployed, remote: Homeserver, identity: IdentityServer) {
  const admin = await deployed.user("admin", { admin: true });
  const [alice, bob] = [await deployed.user("alice"), await deployed.user("bob")];
  const rita = await registerUser(remote, "rita");
  const openRoom = async () => {
    const { room_id } = (await alice.createRoom({ preset: "public_chat" })).body;
    await bob.join(room_id);
    return room_id as string;
  };
  const [room, shared] = [await openRoom(), await openRoom()];
  const joined = await rita.join(shared, [deployed.serverName]);
  if (joined.status !== 200) throw new Error(`rita could not join: ${joined.text}`);
  return (process: string): Side => {
    const through = (client: Client) => deployed.through(process, client);
    const { serverName, sharedSecret, dir, seen, forget } = deployed;
    return {
      server: { ...deployed.process(process), serverName, sharedSecret, dir, configPath: "" },
      ...{ remote, identity, rita, room, shared, seen, forget, admin },
      alice: through(alice),
      bob: through(bob),
      names: new Map(),
      write: () => undefined,
      counts: () => "",
      user: async (name) => through(await deployed.user(`${name}-${process}`)),
    };
  };
}
