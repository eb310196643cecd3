// Events of another server whose fields are not what they should be, on a real Synapse: each is judged.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { makeCertificates } from "../../support/certificates.js";
import { type Answer, type Client, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { projectRoot } from "../../support/paths.js";
import { modulePath } from "./module-path.js";

const certificates = makeCertificates();
let near: Homeserver;
let far: Homeserver;
let alice: Client;
let rita: Client;
let markers = 0;

beforeAll(async () => {
  [near, far] = await Promise.all([
    startHomeserver({
      federation: certificates,
      modules: [bridge({ modules: [{ path: modulePath("spam-filter.ts") }], on_failure: "allow" })],
    }),
    startHomeserver({
      federation: certificates,
      modules: [{ module: "odd_pdus.OddPdus" }],
      pythonPath: [join(projectRoot, "test/synapse/features")],
    }),
  ]);
  alice = await registerUser(near, "alice");
  rita = await registerUser(far, "rita");
}, 90_000);

afterAll(async () => {
  await Promise.all([near?.stop(), far?.stop()]);
  certificates.remove();
});

/** A public room of alice's in which rita is. */
async function sharedRoom(room_version: string): Promise<string> {
  const created = await alice.createRoom({ preset: "public_chat", room_version });
  expect(created.status).toBe(200);
  const joined = await rita.join(created.body.room_id, [near.serverName]);
  expect(joined.status).toBe(200);
  return created.body.room_id;
}

const bodies = async (room: string) =>
  (await alice.messages(room)).body.chunk.map(({ content }: { content: { body?: unknown } }) => content.body);

/** What alice sees once all that rita has sent so far has come. */
async function arrived(room: string): Promise<unknown[]> {
  const marker = `marker ${markers++}`;
  expect((await rita.say(room, marker)).status).toBe(200);
  return waitFor(
    `"${marker}"`,
    async () => {
      const seen = await bodies(room);
      return seen.includes(marker) ? seen : undefined;
    },
    20_000,
  );
}

const decisions = (event: string) =>
  near
    .log()
    .split("\n")
    .filter((line) => line.includes("callback=check_event_for_spam") && line.includes(`event=${event} `));

/** Rita sends it in a room of alice's, with these fields beside its content. */
const odd = (room: string, content: object, pdu: object) =>
  rita.send(room, { msgtype: "m.text", ...content, "org.example.pdu": pdu });

test.each(["1", "5", "6", "9", "10", "11", "12"])(
  "a message whose `redacts` is no text is judged in room version %s",
  async (version) => {
    const room = await sharedRoom(version);
    const sent: Answer[] = [];
    for (const redacts of [5, null, [], true, "not an event"])
      sent.push(await odd(room, { body: "spam" }, { redacts, "org.example.other": [redacts] }));
    expect(sent.map(({ status }) => status)).toEqual(sent.map(() => 200));
    const seen = await arrived(room);
    for (const { body } of sent) {
      expect(decisions(body.event_id)).toEqual([
        expect.stringContaining("outcome=refused answer=M_FORBIDDEN"),
      ]);
    }
    expect(seen).not.toContain("spam");
  },
  60_000,
);

test("a message about which a handler throws is no way past it, and the room goes on", async () => {
  const room = await sharedRoom("11");
  // Her own server does not take it from a client.
  const sent = await odd(room, { body: "" }, { content: { msgtype: "m.text", body: 5 } });
  expect(sent.status).toBe(200);
  expect(await arrived(room)).not.toContain(5);
  expect(decisions(sent.body.event_id)).toEqual([
    expect.stringContaining("module=spam-filter outcome=fault answer=M_FORBIDDEN"),
  ]);
});

test("room state with such a field keeps nobody from being judged, and nobody out", async () => {
  const room = await sharedRoom("10");
  const membership = { membership: "join", displayname: "Rita", "org.example.pdu": { redacts: 5 } };
  expect((await rita.setState(room, "m.room.member", rita.userId, membership)).status).toBe(200);
  await arrived(room);
  const bob = await registerUser(near, "bob");
  expect((await bob.join(room)).status).toBe(200);
  expect((await bob.say(room, "hello")).status).toBe(200);
  expect((await bob.say(room, "forbidden")).status).toBe(403);
});

test("no question was answered by policy", () => {
  expect(near.log()).not.toMatch(/outcome=policy/);
});
