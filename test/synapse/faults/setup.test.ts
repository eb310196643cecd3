// A `setup` that fails or hangs does not stop Synapse: policy answers until it succeeds.
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { observed } from "../../support/observed.js";
import { type Folder, temporaryFolder } from "../../support/temporary-folder.js";
import { modulePath } from "./modules.js";

let folder: Folder;
let mood: string;
let server: Homeserver | undefined;

beforeEach(() => {
  folder = temporaryFolder();
  mood = folder.path("mood");
});

afterEach(async () => {
  await server?.stop();
  server = undefined;
  folder.remove();
});

async function started(): Promise<Homeserver> {
  server = await startHomeserver({
    modules: [bridge({ modules: [{ path: modulePath("setup.ts"), config: { mood } }], timeout: 1000 })],
  });
  return server;
}

test("a setup that succeeds has the whole api, and the first calls wait for it", async () => {
  writeFileSync(mood, "succeed");
  const { log } = await started();
  const alice = await registerUser(server as Homeserver, "alice");
  const room = (await alice.createRoom()).body.room_id;
  expect((await alice.say(room, "x")).status).toBe(403);
  expect(log()).toContain("setup finds the mood succeed on test.localhost");
});

/** Policy answers: messages pass, invites are to be tried again later. */
async function expectPolicy({ baseUrl, sharedSecret }: Homeserver) {
  const alice = await registerUser({ baseUrl, sharedSecret }, "alice");
  const room = (await alice.createRoom()).body.room_id;
  expect((await alice.say(room, "x")).status).toBe(200);
  expect(await alice.invite(room, "@b:example.org")).toMatchObject({
    status: 503,
    body: { errcode: "M_UNKNOWN", error: "policy unavailable" },
  });
  return { alice, room };
}

test("a setup that hangs leaves Synapse up, and the modules' calls to policy", async () => {
  writeFileSync(mood, "hang");
  await expectPolicy(await started());
  observed(5, { policy: "default", outcome: "200 for a message, 503 M_UNKNOWN for an invite" });
});

test("a setup that fails does so too, is told as an ERROR, and tried again until it succeeds", async () => {
  writeFileSync(mood, "fail");
  const running = await started();
  const { alice, room } = await expectPolicy(running);
  const isError = (line: string) => line.includes(" ERROR ") && line.includes("the list server is down");
  const error = () => running.log().split("\n").find(isError);
  expect(await waitFor("an ERROR in the log", error)).toContain("setup");

  writeFileSync(mood, "succeed");
  const refused = async () => (await alice.invite(room, "@b:example.org")).status === 403;
  await waitFor("the module to answer", refused, 20_000);
  observed(5, { policy: "default", outcome: "200 and 503 M_UNKNOWN, then 403 by the module" });
});
