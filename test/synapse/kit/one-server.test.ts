// What an author's test does with one server of the kit.
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startSynapse, type TestSynapse } from "synapse-module-bridge/testing/synapse";
import { cacheWithVenv } from "../../support/prepared-venv.js";
import { temporaryFolder } from "../../support/temporary-folder.js";

const folder = temporaryFolder();
const words = (word: string) => `
import { Codes, defineModule, NOT_SPAM } from "synapse-module-bridge";
export default defineModule({
  callbacks: {
    user_may_invite: ({ invitee }) =>
      invitee.endsWith(":x.org") ? [Codes.LIMIT_EXCEEDED, { "org.example.why": "x" }] : NOT_SPAM,
    check_event_for_spam({ event }) {
      if (event.content.body === "break") throw new Error("broken");
      return event.content.body === "${word}" ? Codes.FORBIDDEN : NOT_SPAM;
    },
    auth_checkers: [
      {
        login_type: "org.example.token",
        fields: ["token"],
        handler: ({ username, login_dict }) => (login_dict.token === "right" ? "@" + username + ":test.localhost" : null),
      },
    ],
  },
});
`;
const modulePath = folder.write("words.ts", words("spam"));
folder.write("package.json", '{ "type": "module" }');
let hs: TestSynapse;

beforeAll(async () => {
  process.env.XDG_CACHE_HOME = cacheWithVenv();
  hs = await startSynapse({ modules: [{ path: modulePath }] });
}, 150_000);
afterAll(async () => {
  await hs?.close();
  folder.remove();
});

test("users make rooms, invite, join, send, read and leave", async () => {
  const [alice, bob] = [await hs.user("alice"), await hs.user("bob", { displayname: "Bob" })];
  expect(alice.user_id).toBe(`@alice:${hs.server_name}`);
  const room = await alice.createRoom({ preset: "private_chat", topic: "tea" });
  await alice.invite(room, bob.user_id);
  expect(await bob.join(room)).toBe(room);
  const sent = await bob.send(room, "hello");
  const [last] = await alice.messages(room);
  expect(last).toMatchObject({
    event_id: sent,
    sender: bob.user_id,
    content: { msgtype: "m.text", body: "hello" },
  });
  expect(await alice.state(room, "m.room.topic")).toMatchObject({ topic: "tea" });
  expect((await alice.state(room)).map(({ type }) => type)).toContain("m.room.create");
  await alice.setState(room, "org.example.mood", { mood: "good" }, "today");
  expect(await bob.state(room, "org.example.mood", "today")).toEqual({ mood: "good" });
  await bob.leave(room);
  await expect(bob.send(room, "again")).rejects.toMatchObject({ status: 403, errcode: "M_FORBIDDEN" });
});

test("a refusal rejects with the status, the code, the text, and what the module adds", async () => {
  const alice = await hs.user("alice");
  const room = await alice.createRoom();
  await expect(alice.invite(room, "@b:x.org")).rejects.toMatchObject({
    name: "MatrixError",
    status: 403,
    errcode: "M_LIMIT_EXCEEDED",
    error: expect.any(String),
    body: { "org.example.why": "x" },
    message: expect.stringMatching(/^POST \/_matrix\/.*\/invite was answered with 403 M_LIMIT_EXCEEDED: /),
  });
});

test("a failure of a module rejects with what it threw, and the line", async () => {
  const alice = await hs.user("alice");
  const room = await alice.createRoom();
  await expect(alice.send(room, "break")).rejects.toMatchObject({
    status: 500,
    message: expect.stringMatching(
      /answered with 500 .*\n--- logged meanwhile\n.*threw Error: broken\n.*words\.ts:8:\d+/s,
    ),
  });
});

test("decisions are rows; those that let everything pass come only when they are asked for", async () => {
  const alice = await hs.user("alice");
  const bob = await hs.user("bob");
  const room = await alice.createRoom();
  await alice.invite(room, bob.user_id);
  await expect(alice.invite(room, "@b:x.org")).rejects.toThrow();
  expect(await hs.decisions({ callback: "user_may_invite", room })).toEqual([
    {
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      callback: "user_may_invite",
      module: "words",
      outcome: "refused",
      answer: "M_LIMIT_EXCEEDED",
      room,
      user: alice.user_id,
      ms: expect.any(Number),
      request: expect.stringMatching(/^POST-\d+$/),
    },
  ]);
  const allowed = await hs.decisions({ callback: "user_may_invite", room, outcome: "allowed" });
  expect(allowed).toMatchObject([{ outcome: "allowed", user: alice.user_id }]);
  expect(await hs.decisions({ room, since: new Date(Date.now() + 1000) })).toEqual([]);
  expect(await hs.decisions({ room, user: bob.user_id })).toEqual([]);
});

test("media goes up and comes down", async () => {
  const alice = await hs.user("alice");
  const bytes = Uint8Array.from([1, 2, 3, 250]);
  const mxc = await alice.upload(bytes, "application/octet-stream", "some bytes");
  expect(mxc).toMatch(/^mxc:\/\/test\.localhost\//);
  expect(await alice.download(mxc)).toEqual(bytes);
});

test("a user logs in by a password, or by a module's login type", async () => {
  const alice = await hs.user("alice");
  const identifier = { type: "m.id.user", user: "alice" };
  const again = await hs.login({ type: "m.login.password", identifier, password: alice.password });
  expect(again).toMatchObject({ user_id: alice.user_id });
  expect(again.access_token).not.toBe(alice.access_token);
  const byToken = await hs.login({ type: "org.example.token", identifier, token: "right" });
  expect(await byToken.createRoom()).toMatch(/^!/);
  await expect(hs.login({ type: "org.example.token", identifier, token: "wrong" })).rejects.toMatchObject({
    status: 403,
  });
});

test("an admin may use the admin API, and a user may not", async () => {
  const path = "/_synapse/admin/v2/users?limit=5";
  const admin = await hs.user("root", { admin: true });
  expect((await admin.request("GET", path)).users.length).toBeGreaterThan(0);
  await expect((await hs.user("alice")).request("GET", path)).rejects.toMatchObject({ status: 403 });
});

test("no other server is asked", async () => {
  const alice = await hs.user("alice");
  const room = await alice.createRoom();
  await expect(alice.invite(room, "@b:y.org")).rejects.toMatchObject({
    status: 403,
    error: expect.stringMatching(/Federation denied/),
  });
});

test("a saved version takes over at a reload; one that does not load is refused, with the reason, and the old one stays", async () => {
  const alice = await hs.user("alice");
  const room = await alice.createRoom();
  expect(await hs.reload()).toBe(false);
  folder.write("words.ts", words("ham"));
  expect(await hs.reload()).toBe(true);
  await alice.send(room, "spam");
  await expect(alice.send(room, "ham")).rejects.toMatchObject({ status: 403 });
  folder.write("words.ts", "export default 5 5;");
  await expect(hs.reload()).rejects.toThrow(/the old one stays: .*words\.ts/s);
  await expect(alice.send(room, "ham")).rejects.toMatchObject({ status: 403 });
});

test("the log is at hand", () => {
  expect(hs.logs()).toContain("synapse_module_bridge.decision");
  expect(hs.records().some(({ namespace }) => namespace === "synapse_module_bridge.reload")).toBe(true);
});
