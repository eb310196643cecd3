/** Odd bodies of clients' requests on the oldest Synapse that the bridge is tried on. */
import { afterAll, beforeAll } from "@jest/globals";
import { tryOddBodies } from "../synapse/features/odd-requests.js";
import { type OlderSynapse, olderSynapse } from "./older.js";

let older: OlderSynapse;
beforeAll(async () => {
  older = await olderSynapse();
}, 300_000);
afterAll(() => older?.remove());

tryOddBodies({ start: (config) => older.start(config), lacking: ["user_may_send_state_event"] });
