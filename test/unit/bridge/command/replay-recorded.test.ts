// The command `replay` on what a host has recorded of a module that counts in its store, with calls at the same time.
import { afterEach, expect, test } from "@jest/globals";
import { Clock } from "../../../../bridge/testing/clock.js";
import { FakeStore } from "../../../../bridge/testing/fake-store.js";
import { connect, type Rig } from "../rig.js";
import { event } from "../samples.js";
import { folder, run } from "./command-line.js";

const CALLS = 33;

let rig: Rig;
afterEach(() => rig.hangUp());

/** Refuses a sender's messages after some mentions, each worth `weight`. */
const policy = (weight: number) =>
  folder.write(
    "policy.ts",
    `import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";
    export default defineModule({ callbacks: { async check_event_for_spam({ event }, { api }) {
      const key = "mentions/" + event.sender;
      const all = await api.store.update<number>({ key, ttl: "1h", update: (before = 0) => before + ${weight} });
      return all > 4 ? Codes.FORBIDDEN : NOT_SPAM;
    } } });`,
  );

async function record(): Promise<void> {
  rig = connect();
  const store = new FakeStore(new Clock(undefined));
  for (const [method, answer] of Object.entries(store.methods))
    rig.shim.onRequest(`api/${method}`, async ({ module, params }) => answer(module, params));
  const record = {
    ...{ folder: folder.path("recording"), callbacks: ["check_event_for_spam"] },
    ...{ keep_ms: 1e9, limit_bytes: 1 << 30 },
  };
  await rig.initialize([{ path: policy(1), grants: "all" }], { record });
  await rig.shim.sendNotification("start", {});
  const asked = Array.from({ length: CALLS }, (_, i) => {
    const params = { event: event({ sender: `@u${i % 3}:example.org` }) };
    return rig.callback("check_event_for_spam", params, ["policy"], i + 1);
  });
  await Promise.all(asked);
  rig.hangUpGently();
  await rig.host.finish(1_000);
}

test("the same version decides the same, and another one by what it has counted itself", async () => {
  await record();
  const replayed = async (weight: number) => {
    const { out } = await run(["replay", policy(weight), folder.path("recording"), "--json"]);
    const { calls, differing, uncertain, missing } = JSON.parse(out);
    return { calls, differing, uncertain, missing };
  };
  expect(await replayed(1)).toEqual({ calls: CALLS, differing: 0, uncertain: 0, missing: {} });
  // Each of the three senders may send two messages less.
  expect(await replayed(2)).toEqual({ calls: CALLS, differing: 6, uncertain: 0, missing: {} });
});
