// The ready policy of ban lists with several processes, on PostgreSQL and Redis: a rule is in force in all of them within seconds.
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, examplePath, shim } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import { type Deployment, main, startDeployment } from "../../support/deployment.js";
import { temporaryFolder } from "../../support/temporary-folder.js";

const names = [main, "worker1", "worker2"];
const folder = temporaryFolder();
let deployment: Deployment;
let alice: Client;
let bob: Client;
let list: string;

const room = (id: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(id)}`;
const user = (name: string) => {
  const { baseUrl } = deployment.process(main);
  return registerUser({ baseUrl, sharedSecret: deployment.sharedSecret }, name);
};
const create = async () =>
  (await alice.post("/_matrix/client/v3/createRoom", { preset: "public_chat" })).body.room_id;
const setRule = (through: string, entity: string, content: object) =>
  deployment
    .through(through, alice)
    .put(`${room(list)}/state/m.policy.rule.room/${encodeURIComponent(entity)}`, content);

beforeAll(async () => {
  const config_file = folder.write("lists.json", JSON.stringify({ lists: ["!none:test.localhost"] }));
  deployment = await startDeployment({
    modules: [
      bridge({
        modules: [
          {
            path: examplePath("policies/ban-lists.ts"),
            config_file,
            grants: ["broadcast", "update_room_membership"],
          },
        ],
      }),
    ],
    workers: ["worker1", "worker2"],
    pythonPath: [shim],
  });
  [alice, bob] = [await user("alice"), await user("bob")];
  list = await create();
  folder.write("lists.json", JSON.stringify({ lists: [list] }));
  for (const name of names) {
    const { pid, log } = deployment.process(name);
    process.kill(pid, "SIGHUP");
    const hasRead = (line: string) => line.includes("a ban list was read") && line.includes(list);
    await waitFor(`${name} to read the list`, () => log().split("\n").some(hasRead), 30_000);
  }
}, 150_000);

afterAll(async () => {
  await deployment?.stop();
  folder.remove();
});

test.each(names)(
  "a rule that was made through %s is in force everywhere within seconds, and is gone as soon",
  async (from) => {
    const banned = await create();
    const join = async (name: string) => {
      const through = deployment.through(name, bob);
      const { status } = await through.post(`${room(banned)}/join`);
      if (status === 200) await through.post(`${room(banned)}/leave`);
      return status;
    };
    const inForce = (status: number) =>
      waitFor(
        `joins to be answered with ${status}`,
        async () => {
          for (const name of names) if ((await join(name)) !== status) return false;
          return true;
        },
        10_000,
      );
    expect(
      (await setRule(from, banned, { entity: banned, recommendation: "m.ban", reason: "spam" })).status,
    ).toBe(200);
    await inForce(403);
    expect((await setRule(from, banned, {})).status).toBe(200);
    await inForce(200);
  },
);
