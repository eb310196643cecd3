// The background updates of a server: a new database has some to make, which what users see depends on.

import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import type { Homeserver } from "../../support/homeserver.js";

/** For homeserver.yaml: makes them one after the other, without the pauses that spare a busy server. */
export const promptUpdates = {
  background_updates: { sleep_enabled: false, background_update_duration_ms: 100 },
};

/** How often the server has told that it has made all of them. */
export const endsOf = (server: Homeserver) =>
  server.log().split("No more background updates to do").length - 1;

/** Resolves once the server has told so more often than this. */
export async function untilIdle(server: Homeserver, ends = 0): Promise<void> {
  await waitFor("background updates to end", async () => endsOf(server) > ends, 60_000);
}
