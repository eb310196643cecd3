/** Nobody is kept from leaving, and nothing from becoming private, while Node is away: by no policy, however it is set. */
import { rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { type Answer, type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { host, interruptibleNode, nextHost } from "../../support/host.js";
import { observed } from "../../support/observed.js";
import { isGone } from "../../support/processes.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { boot } from "./boot.js";
import { modulePath } from "./modules.js";

const NAMES = ["check_event_for_spam", "check_event_allowed", "user_may_send_state_event"].concat(
  "user_may_publish_room",
);
const forEach = (policy: string) => Object.fromEntries(NAMES.map((name) => [name, { on_failure: policy }]));
const v3 = "/_matrix/client/v3";

describe.each([
  ["deny", { on_failure: "deny" }, 403],
  ["defer, set for each callback", { callbacks: forEach("defer") }, 503],
  ["deny, set for each callback", { callbacks: forEach("deny") }, 403],
])("on_failure: %s", (policy, settings, refused) => {
  const files = temporaryFolder();
  const { node, down } = interruptibleNode(files);
  let server: Homeserver;
  let users: Client[];
  let room: string;
  let open: string;
  let published: string;

  const alice = () => users[0] as Client;
  const bob = () => users[1] as Client;
  const directory = (id: string, visibility: string) =>
    alice().put(`${v3}/directory/list/room/${encodeURIComponent(id)}`, { visibility });
  const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status);

  beforeAll(async () => {
    const modules = [{ path: modulePath("passes.ts") }];
    server = await boot({ modules: [bridge({ modules, node, start_timeout: "60s", ...settings })] });
    const names = ["alice", "bob", "carol", "dave"];
    users = await Promise.all(names.map((name) => registerUser(server, name)));
    const made = await Promise.all(
      [{}, {}, { visibility: "public" }].map((options) =>
        alice().createRoom({ preset: "public_chat", ...options }),
      ),
    );
    [room, open, published] = made.map(({ body }) => body.room_id) as [string, string, string];
    await Promise.all(users.slice(1, 3).map((user) => user.join(room)));
    await alice().invite(room, (users[3] as Client).userId);
  }, 60_000);

  afterAll(async () => {
    rmSync(down, { force: true });
    await server?.stop();
    files.remove();
  });

  test("a leave while Node is stopped succeeds within its deadline", async () => {
    const stopped = host(server.pid);
    process.kill(stopped, "SIGSTOP");
    const began = performance.now();
    const { status } = await bob().leave(room);
    const seconds = (performance.now() - began) / 1_000;
    expect(status).toBe(200);
    await waitFor("its end", () => isGone(stopped), 15_000);
    observed(15, { policy, outcome: `a leave is ${status} after ${seconds.toFixed(1)} s` });
  }, 30_000);

  test("nobody is kept from leaving, and nothing from becoming private, and all else is refused", async () => {
    // The one that takes the place of the stopped one may be on its way.
    const before = await nextHost(server.pid, 0);
    writeFileSync(down, "");
    process.kill(before, "SIGKILL");
    await waitFor("its end", () => isGone(before));
    const [, , carol, dave] = users as [Client, Client, Client, Client];
    const member = (of: Client) => [room, "m.room.member", of.userId, { membership: "leave" }] as const;
    const narrowed = [
      await carol.setState(...member(carol)),
      await dave.leave(room),
      await directory(published, "private"),
      await alice().setState(open, "m.room.join_rules", "", { join_rule: "invite" }),
      await alice().setState(open, "m.room.history_visibility", "", { history_visibility: "joined" }),
    ];
    expect(statuses(narrowed)).toEqual([200, 200, 200, 200, 200]);
    const widened = [
      await directory(open, "public"),
      await alice().setState(open, "m.room.join_rules", "", { join_rule: "public" }),
      await alice().setState(room, "m.room.topic", "", { topic: "x" }),
      await alice().say(room, "hello"),
    ];
    expect(statuses(widened)).toEqual([refused, refused, refused, refused]);
    expect((await carol.post(`${v3}/logout`)).status).toBe(200);
    observed(8, { policy, outcome: "leaving and narrowing: 200; all else is refused" });
  }, 60_000);
});
