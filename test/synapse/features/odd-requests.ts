// Tests with odd bodies of every request of a client that a callback decides about: what Synapse takes is judged.
//
// The failure policy allows: what was not judged would pass.

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { type Answer, Client, password, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { modulePath } from "./module-path.js";
import { HIDDEN_INFINITY, OddJson } from "./odd-json.js";

const TIMES = 20;
const SEED = 20_261_128;
const v3 = "/_matrix/client/v3";

export interface OddBodies {
  /** Boots a Synapse with this configuration of the bridge. */
  start(config: Readonly<Record<string, unknown>>): Promise<Homeserver>;
  /** Callbacks that this Synapse does not have. */
  lacking: readonly string[];
}

/** Registers the tests of one file. */
export function tryOddBodies({ start, lacking }: OddBodies): void {
  let server: Homeserver;
  /** Each is refused by the callback that they are named after. */
  const users = new Map<string, Client>();
  let host: Client;
  let anonymous: Client;
  let room: string;
  let said: string;
  const counts = new Map<string, number>();

  beforeAll(async () => {
    server = await start({
      modules: ["judges", "raises-levels"].map((name) => ({ path: modulePath(`${name}.ts`) })),
      callbacks: Object.fromEntries(lacking.map((callback) => [callback, { optional: true }])),
      on_failure: "allow",
      timeout: "30s",
    });
    anonymous = new Client(server.baseUrl);
    host = await registerUser(server, "host");
    room = (await host.createRoom({ preset: "public_chat", room_version: "10" })).body.room_id;
    await host.setState(room, "m.room.power_levels", "", {
      users_default: 100,
      users: { [host.userId]: 100 },
    });
    said = (await host.say(room, "hello")).body.event_id;
    for (const name of Object.keys(requests)) {
      const [callback = ""] = name.split(":");
      if (users.has(callback)) continue;
      const user = await registerUser(server, callback);
      users.set(callback, user);
      if (callback !== "user_may_join_room") expect((await user.join(room)).status).toBe(200);
    }
  }, 120_000);

  afterAll(() => server?.stop());

  interface Asking {
    user: Client;
    odd: OddJson;
    n: number;
  }

  const at = (path: string) => `${v3}/rooms/${encodeURIComponent(room)}/${path}`;
  const post = (user: Client, path: string, raw: string) => user.request("POST", path, { raw });
  const put = (user: Client, path: string, raw: string) => user.request("PUT", path, { raw });
  const create = ({ user, odd }: Asking) =>
    post(
      user,
      `${v3}/createRoom`,
      odd.body({ preset: "public_chat" }, ["topic", "initial_state", "creation_content"]),
    );
  const message = ({ user, odd }: Asking) =>
    put(
      user,
      at(`send/m.room.message/${randomUUID()}`),
      odd.body({ msgtype: "m.text", body: "hi" }, ["m.relates_to"]),
    );
  const state = ({ user, odd, n }: Asking) =>
    put(
      user,
      at(`state/org.example.${n}/${encodeURIComponent(odd.pick(["", "é", "\u0000", "@a:b"]))}`),
      odd.body({}),
    );

  /** By the callback that must refuse them, each with what tells it from others. */
  const all: Record<string, (asking: Asking) => Promise<Answer>> = {
    "user_may_create_room:createRoom": create,
    "user_may_create_room:upgrade": ({ user, odd }) =>
      post(user, at("upgrade"), odd.body({ new_version: "10" })),
    "on_create_room:createRoom": create,
    "user_may_send_state_event:state": state,
    "check_event_allowed:state": state,
    "check_event_allowed:send": message,
    "check_event_allowed:redact": ({ user, odd }) =>
      put(user, at(`redact/${encodeURIComponent(said)}/${randomUUID()}`), odd.body({}, ["reason"])),
    "check_event_allowed:kick": ({ user, odd }) =>
      post(user, at("kick"), odd.body({ user_id: host.userId }, ["reason"])),
    "check_event_allowed:ban": ({ user, odd }) =>
      post(user, at("ban"), odd.body({ user_id: `@${odd.next()}:elsewhere` }, ["reason"])),
    "check_event_for_spam:state": state,
    "check_event_for_spam:send": message,
    "user_may_invite:invite": ({ user, odd, n }) =>
      post(user, at("invite"), odd.body({ user_id: `@guest${n}:${server.serverName}` }, ["reason"])),
    "user_may_invite:createRoom": ({ user, odd, n }) =>
      post(user, `${v3}/createRoom`, odd.body({ invite: [`@guest${n}:${server.serverName}`] }, ["name"])),
    "check_threepid_can_be_invited:invite": ({ user, odd }) => {
      const fields = {
        medium: "email",
        address: "a@example.org",
        id_server: "localhost",
        id_access_token: "x",
      };
      return post(user, at("invite"), odd.body(fields));
    },
    "user_may_join_room:join": ({ user, odd }) =>
      post(user, `${v3}/join/${encodeURIComponent(room)}`, odd.body({}, ["reason"])),
    "user_may_create_room_alias:alias": ({ user, odd, n }) =>
      put(
        user,
        `${v3}/directory/room/${encodeURIComponent(`#alias${n}:${server.serverName}`)}`,
        odd.body({ room_id: room }, ["servers"]),
      ),
    "user_may_publish_room:publish": ({ user, odd }) =>
      put(user, `${v3}/directory/list/room/${encodeURIComponent(room)}`, odd.body({ visibility: "public" })),
    "check_visibility_can_be_modified:publish": ({ user, odd }) =>
      put(user, `${v3}/directory/list/room/${encodeURIComponent(room)}`, odd.body({ visibility: "public" })),
    "check_can_deactivate_user:deactivate": ({ user, odd }) => {
      const identifier = { type: "m.id.user", user: user.userId };
      return post(
        user,
        `${v3}/account/deactivate`,
        odd.body({ auth: { type: "m.login.password", identifier, password } }, ["erase"]),
      );
    },
    "check_registration_for_spam:register": ({ odd, n }) =>
      post(
        anonymous,
        `${v3}/register`,
        odd.body({ username: `new${n}`, password, auth: { type: "m.login.dummy" } }, [
          "initial_device_display_name",
          "device_id",
        ]),
      ),
    "check_login_for_spam:login": ({ user, odd }) => {
      const identifier = { type: "m.id.user", user: user.userId };
      return post(
        anonymous,
        `${v3}/login`,
        odd.body({ type: "m.login.password", identifier, password }, [
          "initial_device_display_name",
          "device_id",
        ]),
      );
    },
    "check_media_file_for_spam:upload": ({ user, odd }) =>
      user.request("POST", "/_matrix/media/v3/upload", {
        raw: odd.value(),
        contentType: odd.pick(["text/plain", 'x/y; a="b"', "nonsense"]),
        query: { filename: odd.pick(["a.txt", "../../é\u2028.png", "%00", "x".repeat(300)]) },
      }),
  };

  const requests = Object.fromEntries(
    Object.entries(all).filter(([name]) => !lacking.includes(name.split(":")[0] ?? "")),
  );

  test.each(["user_may_create_room", "on_create_room"])(
    "a room that has infinity is refused by %s",
    async (callback) => {
      const raw = '{"preset":"public_chat","x":1e400}';
      const { status, body } = await post(users.get(callback) as Client, `${v3}/createRoom`, raw);
      expect([status, body.judged]).toEqual([403, callback]);
    },
  );

  test.each(["check_event_allowed", "check_event_for_spam"])(
    "an event that hides infinity is refused by %s",
    async (callback) => {
      const user = users.get(callback) as Client;
      // Versions from the 6th on have no such number.
      const { room_id } = (await host.createRoom({ preset: "public_chat", room_version: "5" })).body;
      expect((await user.join(room_id)).status).toBe(200);
      const path = `${v3}/rooms/${encodeURIComponent(room_id)}/send/m.room.message/${randomUUID()}`;
      const raw = `{"msgtype":"m.text","body":"hi","x":${HIDDEN_INFINITY}}`;
      const { status, body } = await put(user, path, raw);
      expect([status, body.judged]).toEqual([403, callback]);
    },
  );

  test.each(Object.keys(requests))(
    "what Synapse takes is judged: %s",
    async (name) => {
      const [callback = ""] = name.split(":");
      const user = users.get(callback) as Client;
      const request = requests[name] as (asking: Asking) => Promise<Answer>;
      const odd = new OddJson(SEED + Object.keys(requests).indexOf(name));
      const own = new Map<number, number>();
      const before = decisions(callback);
      for (let n = 0; n < TIMES; n++) {
        const answer = await request({ user, odd, n });
        expect([answer.status, answer.text]).toEqual([
          expect.any(Number),
          expect.not.stringContaining("policy unavailable"),
        ]);
        // It would have passed.
        expect(answer.status).toBeGreaterThanOrEqual(400);
        own.set(answer.status, (own.get(answer.status) ?? 0) + 1);
      }
      const judged = decisions(callback) - before;
      counts.set(name, judged);
      console.info(`${name}: ${TIMES} requests, ${judged} judged; ${JSON.stringify([...own])}`);
      // How many of them Synapse takes, its version decides.
      expect(judged).toBeGreaterThan(0);
    },
    60_000,
  );

  /** How often this callback has refused so far. */
  function decisions(callback: string): number {
    return (
      server.log().match(new RegExp(`callback=${callback} module=judges outcome=(refused|error)`, "g"))
        ?.length ?? 0
    );
  }

  test("a search for users shows none, whatever else it asks for", async () => {
    const odd = new OddJson(SEED);
    const search = (raw: string) => post(host, `${v3}/user_directory/search`, raw);
    // Synapse fills the directory in its own time.
    await waitFor("the directory to know a user", async () => {
      await search(JSON.stringify({ search_term: "user" }));
      return decisions("check_username_for_spam") > 0;
    });
    for (let n = 0; n < TIMES; n++) {
      const { status, body } = await search(odd.body({ search_term: "user" }, ["limit"]));
      if (status === 200) expect(body.results).toEqual([]);
      else expect(status).toBeGreaterThanOrEqual(400);
    }
  });

  test("a login that a module checks reaches it, whatever its field holds", async () => {
    const odd = new OddJson(SEED);
    let taken = 0;
    for (let n = 0; n < TIMES; n++) {
      const raw = odd.body({ type: "org.example.login", user: host.userId, key: n }, [
        "initial_device_display_name",
      ]);
      const { status, body } = await post(anonymous, `${v3}/login`, raw);
      // The module says yes; then the other callback says no.
      if (body.judged === "check_login_for_spam") taken++;
      expect(status).toBeGreaterThanOrEqual(400);
    }
    expect(taken).toBeGreaterThan(TIMES / 4);
  });

  test("no question was answered by policy, and none was a fault", () => {
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
    console.info(`${counts.size * TIMES} generated bodies, of which ${all} were judged`);
    expect(server.log()).not.toMatch(/outcome=(policy|fault)/);
    // What was answered with 500 is what Synapse itself cannot do.
    expect(server.log()).not.toMatch(/File ".*\/synapse_module_bridge\//);
  });

  describe("an edit beside what is odd", () => {
    let leveller: Client;
    beforeAll(async () => {
      leveller = await registerUser(server, "leveller");
    });

    async function levelAfter(raw: string): Promise<unknown> {
      const { status, body } = await post(leveller, `${v3}/createRoom`, raw);
      expect([status, body]).toEqual([200, { room_id: expect.any(String) }]);
      const levels = await leveller.getState(body.room_id, "m.room.power_levels");
      return levels.body.events["m.room.encryption"];
    }

    test.each([
      ["nothing", "{}"],
      ["infinity", '{"x":1e400,"y":-0.0,"power_level_content_override":{}}'],
      ["depth", `{"x":${"[".repeat(250)}${"]".repeat(250)},"y":"\\ud800"}`],
      ["odd keys", '{"__proto__":{"a":1},"constructor":1e400,"toJSON":{}}'],
    ])("takes effect: %s", async (_, raw) => {
      expect(await levelAfter(raw)).toBe(150);
    });

    test("is refused where JSON would lose it without a word, and the module is named", async () => {
      const { status } = await post(leveller, `${v3}/createRoom`, '{"power_level_content_override":[]}');
      expect(status).toBe(403);
      const log = server.log();
      expect(log).toMatch(/callback=on_create_room module=raises-levels outcome=fault/);
      expect(log).toContain(
        "raises-levels: on_create_room left something in request_content that is not JSON: " +
          "power_level_content_override.events is a named property of a list",
      );
    });
  });
}
