// What goes wrong while Synapse runs: handlers that hang, output in the wrong place, a Node that is gone.
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { type Client, password, registerUser } from "../../support/client.js";
import { type Homeserver, startHomeserver } from "../../support/homeserver.js";
import { observed } from "../../support/observed.js";
import { childrenOf, isAlive, processesIn } from "../../support/processes.js";
import { modulePath } from "./modules.js";

let server: Homeserver;
let alice: Client;
let room: string;
const timeoutMs = 1000;

beforeAll(async () => {
  server = await startHomeserver({
    modules: [
      bridge({
        modules: [{ path: modulePath("misbehaving.ts") }],
        timeout: timeoutMs,
        // Those who wait for another Node may wait for longer than those who wait for a handler.
        callbacks: { is_user_expired: { timeout: 60_000 }, user_may_create_room: { timeout: 20_000 } },
      }),
    ],
  });
  alice = await registerUser(server, "alice");
  room = (await alice.createRoom({ preset: "public_chat" })).body.room_id;
}, 60_000);

afterAll(() => server?.stop());

const logged = (text: string) => waitFor(`${text} in the log`, () => server.log().includes(text));

async function expectToWork() {
  expect((await alice.say(room, "fine")).status).toBe(200);
  expect((await alice.say(room, "spam")).status).toBe(403);
}

/** The pid of the Node process. */
async function node(): Promise<number> {
  return waitFor("Synapse to have a child", () => childrenOf(server.pid)[0]);
}

describe("what a module prints", () => {
  test("never reaches the wire, and calls that are under way are answered as they should", async () => {
    const words = ["fine", "print", "spam", "print spam", "print", "spam", "fine"];
    const answers = await Promise.all(words.map((word) => alice.say(room, word)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 403, 403, 200, 403, 200]);
    await expectToWork();
  });

  test("is in the log", async () => {
    await logged("printed by console.log");
    await logged("printed by process.stdout");
    await logged("printed by a raw write");
    await logged("printed by a child");
    observed(19, { outcome: "by the module; in the log" });
  });
});

describe("an answer that does not fit", () => {
  test.each(["nothing", "list"])(
    "is an error, which names module and callback in the log: %s",
    async (kind) => {
      const { status, text } = await alice.invite(room, `@${kind}:example.org`);
      expect(status).toBe(500);
      expect(text).not.toContain("misbehaving");
      await logged("misbehaving: user_may_invite answered");
    },
  );
});

describe("a handler that misses its deadline", () => {
  async function timed<T>(work: Promise<T>): Promise<[T, number]> {
    const began = Date.now();
    return [await work, Date.now() - began];
  }

  test("of check_event_for_spam lets the message pass, in time, and hears of it", async () => {
    const [answer, ms] = await timed(alice.say(room, "hang"));
    expect(answer.status).toBe(200);
    expect(ms).toBeGreaterThanOrEqual(timeoutMs - 50);
    expect(ms).toBeLessThan(timeoutMs + 2000);
    await logged("the handler's signal was aborted");
  });

  test("of check_event_allowed asks a client to come back", async () => {
    const content = { msgtype: "m.text", body: "x", "org.example.hang": true };
    const answer = await alice.send(room, content);
    expect(answer).toMatchObject({
      status: 503,
      body: { errcode: "M_UNKNOWN", error: "policy unavailable" },
    });
  });

  test("of check_can_deactivate_user refuses", async () => {
    const user = await registerUser(server, "stays");
    expect(await user.deactivate(password)).toMatchObject({ status: 403, body: { errcode: "M_FORBIDDEN" } });
    expect((await user.whoami()).status).toBe(200);
  });

  test("of check_username_for_spam shows the user", async () => {
    await registerUser(server, "findable");
    const { body } = await alice.searchUsers("findable");
    expect(body.results.map(({ user_id }: { user_id: string }) => user_id)).toContain(
      "@findable:test.localhost",
    );
  });

  test("of on_new_event holds up nobody", async () => {
    const [answer, ms] = await timed(alice.say(room, "slow news"));
    expect(answer.status).toBe(200);
    const { body } = await alice.messages(room, 1);
    expect(body.chunk[0].content.body).toBe("slow news");
    expect(ms).toBeLessThan(timeoutMs);
  });

  test("holds up no other call", async () => {
    const hanging = alice.say(room, "hang");
    const bob = await registerUser(server, "bob");
    const [answer, ms] = await timed(bob.createRoom());
    expect(answer.status).toBe(200);
    expect(ms).toBeLessThan(timeoutMs);
    await hanging;
  });

  test("leaves a line in the log with callback, module, room, user and event, but not what was said", async () => {
    const line = server
      .log()
      .split("\n")
      .find((found) => found.includes("outcome=policy") && found.includes("callback=check_event_for_spam"));
    for (const part of [`room=${room}`, `user=${alice.userId}`, "event=$", "ms="])
      expect(line).toContain(part);
    const decisions = server
      .log()
      .split("\n")
      .filter((found) => found.includes("outcome="));
    expect(decisions.filter((found) => found.includes("slow news"))).toEqual([]);
  });
});

test("a handler hears of it at once when Synapse gives up the request, since its client has gone", async () => {
  const { accessToken } = await registerUser(server, "leaves");
  const client = new AbortController();
  const headers = { authorization: `Bearer ${accessToken}` };
  const asked = fetch(`${server.baseUrl}/_matrix/client/v3/sync`, { headers, signal: client.signal });
  await logged("the user waits");
  client.abort();
  await expect(asked).rejects.toThrow();
  await logged("nobody waits for the user any more");
  await expectToWork();
  observed(30, { outcome: "cancelled" });
});

describe("a Node process that is gone", () => {
  test("by SIGKILL is started again, and the next call is answered by the module", async () => {
    const before = await node();
    process.kill(before, "SIGKILL");
    const answered = await waitFor("the module to refuse again", async () => {
      const { status } = await alice.say(room, "spam");
      return status === 403;
    });
    expect(answered).toBe(true);
    expect(await node()).not.toBe(before);
    await expectToWork();
  });

  test("by its own exit in the middle of a call refuses that call alone, and is started again", async () => {
    const before = await node();
    expect((await (await registerUser(server, "exits")).createRoom()).status).toBe(403);
    expect(await node()).not.toBe(before);
    await waitFor("the module to refuse again", async () => (await alice.say(room, "spam")).status === 403);
    await expectToWork();
  });

  test("is not what a promise that nobody caught makes of it, or if so, not for long", async () => {
    // As a user of their own: who has ended Node is not asked about any more.
    const user = await registerUser(server, "rejects");
    await user.say((await user.createRoom()).body.room_id, "reject later");
    await waitFor("the module to refuse again", async () => (await alice.say(room, "spam")).status === 403);
    await logged("nobody caught this");
    observed(9, { policy: "default", outcome: "200 at most for a while, then 403 by the module" });
  });

  test("outlives neither a Synapse that is stopped nor one that is killed", async () => {
    const pid = await node();
    process.kill(server.pid, "SIGKILL");
    await server.exited;
    await waitFor("Node to be gone", () => !isAlive(pid), 5000);
    await waitFor("all children to be gone", () => processesIn(server.dir).length === 0, 5000);
  });
});
