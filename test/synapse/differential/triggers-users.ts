// Client requests about people and their files that make Synapse ask the callbacks.

import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { Client, password, registerBySecret, signedIn } from "../../support/client.js";
import { shown } from "./normal.js";
import { pngOfSize } from "./png.js";
import type { Side } from "./sides.js";
import type { Trigger } from "./trigger.js";

const fewAnswers = ["NOT_SPAM", "Codes.FORBIDDEN", "a SynapseError (403, M_FORBIDDEN)"];
const anonymous = (side: Side) => new Client(side.server.baseUrl);
const userId = (side: Side, localpart: string) => `@${localpart}:${side.server.serverName}`;

const deactivation = (title: string, request: "admin" | "user", more: object = {}): Trigger => ({
  title,
  prepare: (side, n) => side.user(`leaver${n}`),
  async act(side, user: Client) {
    const answer =
      request === "admin"
        ? await side.admin.admin("POST", `v1/deactivate/${user.userId}`, { erase: false, ...more })
        : await user.deactivate(password, more as Record<string, unknown>);
    const effect = async () => {
      const { body } = await side.admin.admin("GET", `v2/users/${user.userId}`);
      return { deactivated: body.deactivated, erased: body.erased, token: (await user.whoami()).status };
    };
    return { answers: [answer], effect };
  },
});

const threepids = (title: string, before: string[], after: string[]): Trigger => {
  const put = (side: Side, user: Client, addresses: string[]) =>
    side.admin.admin("PUT", `v2/users/${user.userId}`, {
      threepids: addresses.map((address) => ({
        medium: "email",
        address: `${user.userId.slice(1).replace(/:.*/, "")}.${address}`,
      })),
    });
  return {
    title,
    async prepare(side, n) {
      const user = await side.user(`mail${n}`);
      if (before.length > 0) await put(side, user, before);
      return user;
    },
    async act(side, user: Client) {
      const answer = await put(side, user, after);
      const effect = async () => (await side.admin.admin("GET", `v2/users/${user.userId}`)).body.threepids;
      return { answers: [answer], effect };
    },
  };
};

export const userTriggers: Readonly<Record<string, readonly Trigger[]>> = {
  check_username_for_spam: [
    {
      title: "a search of the user directory",
      async prepare(side, n) {
        const name = (half: string) => `findme${n}${half}`;
        for (const half of ["a", "b"]) {
          const user = await side.user(name(half));
          if (half === "b") await user.setProfile("displayname", `Find Me ${n}`);
        }
        // Synapse enters them into its directory some time later.
        const entered = async () => {
          const { results } = (await side.alice.searchUsers(`findme${n}`)).body;
          const named = results.some(
            (found: { display_name: string }) => found.display_name === `Find Me ${n}`,
          );
          return results.length === 2 && named;
        };
        await waitFor("both users in the directory", entered, 25_000);
        return `findme${n}`;
      },
      when: (side, n) => ({ "user_profile.user_id": userId(side, `findme${n}a`) }),
      async act({ alice }, term: string) {
        return { answers: [await alice.searchUsers(term)] };
      },
    },
  ],
  check_registration_for_spam: [
    {
      title: "a registration",
      async act(side, _prepared, n) {
        const answer = await anonymous(side).register(`newcomer${n}`, password);
        const effect = async () => {
          const { body } = await side.admin.admin("GET", `v2/users/${userId(side, `newcomer${n}`)}`);
          return { name: body.name, shadow_banned: body.shadow_banned, errcode: body.errcode };
        };
        return { answers: [answer], effect };
      },
    },
    {
      title: "a registration by the shared secret",
      async act(side, _prepared, n) {
        const answer = await registerBySecret(side.server, `secret${n}`, { displayname: "S" });
        const effect = async () =>
          (await side.admin.admin("GET", `v2/users/${userId(side, `secret${n}`)}`)).body.shadow_banned;
        return { answers: [answer], effect };
      },
    },
  ],
  check_media_file_for_spam: [
    {
      title: "an upload",
      async act({ alice, bob }, _prepared, n) {
        const answer = await alice.upload(`content of file ${n} ☃`);
        const uri = answer.body.content_uri;
        const effect = async () => (uri ? shown(await bob.download(uri)) : "none");
        return { answers: [answer], effect };
      },
    },
    {
      title: "an image and its thumbnails",
      only: fewAnswers,
      async act({ alice, bob }) {
        const answer = await alice.upload(pngOfSize(400, 300), "image/png", "image.png");
        const uri = answer.body.content_uri;
        const effect = async () => (uri ? (await bob.download(uri)).status : "none");
        return { answers: [answer], effect };
      },
    },
  ],
  check_login_for_spam: [
    {
      title: "a login",
      async act(side, _prepared, n) {
        const more = { device_id: `DEVICE${n}`, initial_device_display_name: "A device" };
        const answer = await anonymous(side).login("bob", password, more);
        const effect = async () => {
          const devices = (await side.bob.get("/_matrix/client/v3/devices")).body.devices;
          const known = devices.some((device: { device_id: string }) => device.device_id === `DEVICE${n}`);
          return { known, whoami: (await signedIn(side.server, answer.body).whoami()).status };
        };
        return { answers: [answer], effect };
      },
    },
  ],
  check_can_deactivate_user: [
    deactivation("a deactivation by an admin", "admin"),
    deactivation("a user's own deactivation", "user"),
  ],
  on_profile_update: [
    {
      title: "a new display name",
      prepare: (side, n) => side.user(`named${n}`),
      async act(side, user: Client) {
        const answer = await user.setProfile("displayname", "New Name");
        return { answers: [answer], effect: async () => (await side.alice.profile(user.userId)).body };
      },
    },
    {
      title: "a new display name that goes on to the user's room",
      only: ["what passes"],
      async prepare(side, n) {
        const user = await side.user(`named${n}`);
        await user.join(side.room);
        return user;
      },
      async act(side, user: Client) {
        const answer = await user.setProfile("displayname", "New Name");
        const arrived = async () => {
          const { body } = await side.alice.getState(side.room, "m.room.member", user.userId);
          return body.displayname === "New Name";
        };
        await waitFor("the new name in the room", arrived);
        return { answers: [answer] };
      },
    },
    {
      title: "a profile that an admin changes",
      prepare: (side, n) => side.user(`renamed${n}`),
      async act(side, user: Client) {
        const changes = { displayname: "Renamed", avatar_url: "mxc://example.org/avatar" };
        const answer = await side.admin.admin("PUT", `v2/users/${user.userId}`, changes);
        return { answers: [answer], effect: async () => (await user.profile()).body };
      },
    },
    deactivation("an erasure", "admin", { erase: true }),
  ],
  on_user_deactivation_status_changed: [
    deactivation("a deactivation by an admin", "admin"),
    deactivation("a user's own deactivation", "user"),
    {
      title: "a reactivation",
      only: ["what passes"],
      async prepare(side, n) {
        const user = await side.user(`back${n}`);
        await side.admin.admin("POST", `v1/deactivate/${user.userId}`, {});
        return user;
      },
      async act(side, user: Client) {
        const path = `v2/users/${user.userId}`;
        const answer = await side.admin.admin("PUT", path, { deactivated: false, password });
        const effect = async () => (await side.admin.admin("GET", path)).body.deactivated;
        return { answers: [answer], effect };
      },
    },
  ],
  on_threepid_bind: [threepids("an email address that is added", [], ["A@Example.org"])],
  on_add_user_third_party_identifier: [threepids("an email address that is added", [], ["A@Example.org"])],
  on_remove_user_third_party_identifier: [
    threepids("an email address that is removed", ["a@example.org", "b@example.org"], ["b@example.org"]),
  ],
};
