// Calls of the api from inside callbacks: the shim learns from which call they come, and which were not awaited.
import { beforeEach, expect, test } from "@jest/globals";
import { waitFor } from "../../../../bridge/testing/synapse/wait.js";
import { folder, rig } from "../each-rig.js";
import { moduleOf } from "../rig.js";
import { INVITE } from "../samples.js";

/** What the shim was sent, in order. */
let sent: unknown[];
let release: () => void;

beforeEach(() => {
  sent = [];
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  rig.shim.onRequest("api/update_room_membership", async ({ call }) => {
    sent.push(["begun", call]);
    await released;
    return {};
  });
  rig.shim.onNotification("api/not_awaited", (params) => {
    sent.push(["not awaited", params]);
  });
});

const change = `const change = context.api.update_room_membership({
  sender: "@a:b", target: "@a:b", room_id: "!r", new_membership: "join" });`;

async function load(callback: string, body: string): Promise<string> {
  const path = folder.write(`${callback}-${body.length}.ts`, moduleOf(callback, `${change} ${body}`));
  await rig.load([{ path, name: "m", grants: ["update_room_membership"] }]);
  return "m";
}

test("a change that the module waits for is one of its call", async () => {
  const module = await load("user_may_invite", "await change; return NOT_SPAM;");
  const asked = rig.callback("user_may_invite", INVITE, [module], 41);
  await waitFor("the request", () => sent.length > 0);
  release();
  expect(await asked).toMatchObject({ answer: "NOT_SPAM" });
  expect(sent).toEqual([["begun", 41]]);
});

test("one that it does not wait for goes on, and the shim is told", async () => {
  const module = await load("user_may_invite", "void change; return NOT_SPAM;");
  expect(await rig.callback("user_may_invite", INVITE, [module], 42)).toMatchObject({ answer: "NOT_SPAM" });
  await waitFor("both messages", () => sent.length === 2);
  expect(sent).toEqual([
    ["begun", 42],
    ["not awaited", { call: 42, module: "m" }],
  ]);
  release();
});

test("what a module begins after its answer belongs to no call", async () => {
  const body = `setTimeout(() => { ${change} void change; }, 1); return NOT_SPAM;`;
  const path = folder.write("later.ts", moduleOf("user_may_invite", body));
  await rig.load([{ path, name: "m", grants: "all" }]);
  expect(await rig.callback("user_may_invite", INVITE, ["m"], 43)).toMatchObject({ answer: "NOT_SPAM" });
  await waitFor("the request", () => sent.length > 0);
  expect(sent).toEqual([["begun", undefined]]);
  release();
});

test("one in a callback that holds no lock is of no call", async () => {
  release();
  const module = await load("user_may_publish_room", "await change; return NOT_SPAM;");
  await rig.callback("user_may_publish_room", { user_id: "@a:b", room_id: "!r" }, [module], 44);
  expect(sent).toEqual([["begun", undefined]]);
});
