// Client requests about accounts: validity, logins, registration, account data; and their events on the way to others.

import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { Client, password, signedIn } from "../../support/client.js";
import type { Side } from "./sides.js";
import type { Trigger } from "./trigger.js";
import { remoteJoin } from "./triggers-federated.js";

const anonymous = (side: Side) => new Client(side.server.baseUrl);
const userId = (side: Side, localpart: string) => `@${localpart}:${side.server.serverName}`;

const registration = (localpart: string, when = true): Trigger => ({
  title: "a registration",
  ...(when && { when: (side, n) => ({ user_id: userId(side, `${localpart}${n}`) }) }),
  async act(side, _prepared, n) {
    const answer = await anonymous(side).register(`${localpart}${n}`, password);
    const effect = async () => {
      const asked = (await side.admin.admin("GET", `v2/users/${userId(side, `${localpart}${n}`)}`)).body;
      const got = answer.body.user_id && (await side.alice.profile(answer.body.user_id)).body;
      return { name: asked.name, errcode: asked.errcode, got };
    };
    return { answers: [answer], effect };
  },
});

const accountData = (title: string, inRoom: boolean, content: object): Trigger => ({
  title,
  prepare: (side, n) => side.user(`keeper${n}`),
  async act(side, user: Client) {
    const of = inRoom ? `/rooms/${encodeURIComponent(side.room)}` : "";
    if (inRoom) await user.join(side.room);
    const path = `/_matrix/client/v3/user/${user.userId}${of}/account_data/org.example.note`;
    const answer = await user.put(path, content);
    return { answers: [answer], effect: async () => (await user.get(path)).body };
  },
});

/** Alice says something that the other server is sent. */
const delivery: Trigger = {
  title: "a message that another server has received",
  async act(side, _prepared, n) {
    const answer = await side.alice.say(side.shared, `to afar ${n}`);
    const about: string = answer.body.event_id;
    const told = () =>
      side
        .seen()
        .some(
          ({ callback, params }) =>
            callback === "on_event_delivered_over_federation" && JSON.stringify(params).includes(about),
        );
    await waitFor("the delivery to be told", told, 15_000);
    return { answers: [answer], about };
  },
};

export const accountTriggers: Readonly<Record<string, readonly Trigger[]>> = {
  is_user_expired: [
    {
      title: "an authenticated request",
      prepare: (side, n) => side.user(`member${n}`),
      when: (side, n) => ({ user_id: userId(side, `member${n}`) }),
      async act(_side, user: Client) {
        const answer = await user.whoami();
        return { answers: [answer], effect: async () => (await user.whoami()).status, about: user.userId };
      },
    },
  ],
  on_user_registration: [registration("recruit")],
  on_user_login: [
    {
      title: "a login",
      async act(side, _prepared, n) {
        const answer = await anonymous(side).login("bob", password, { device_id: `LOGIN${n}` });
        const effect = async () => {
          const devices = (await side.bob.get("/_matrix/client/v3/devices")).body.devices;
          return devices.some((device: { device_id: string }) => device.device_id === `LOGIN${n}`);
        };
        return { answers: [answer], effect };
      },
    },
  ],
  on_legacy_send_mail: [
    {
      title: "a client that asks for a mail",
      act: async ({ alice }) => ({
        answers: [await alice.post("/_matrix/client/unstable/account_validity/send_mail")],
      }),
    },
  ],
  on_legacy_renew: [
    {
      title: "a renewal link",
      act: async (side, _prepared, n) => ({
        answers: [
          await anonymous(side).get("/_matrix/client/unstable/account_validity/renew", {
            token: `token ${n}`,
          }),
        ],
      }),
    },
  ],
  on_legacy_admin_request: [
    {
      title: "an admin's request",
      act: async ({ admin, alice }, _prepared, n) => ({
        answers: [
          await admin.admin("POST", `v1/account_validity/validity?n=${n}`, {
            user_id: alice.userId,
            expiration_ts: 5,
            text: "für ☃",
          }),
        ],
      }),
    },
  ],
  on_logged_out: [
    {
      title: "a logout",
      async prepare(side, n) {
        const { userId } = await side.user(`goer${n}`);
        const more = { device_id: `GONE${n}` };
        return signedIn(side.server, (await anonymous(side).login(userId, password, more)).body);
      },
      async act(_side, user: Client) {
        const answer = await user.post("/_matrix/client/v3/logout");
        return { answers: [answer], effect: async () => (await user.whoami()).status };
      },
    },
  ],
  is_3pid_allowed: [
    {
      title: "a phone number that is to be registered",
      act: async (side, _prepared, n) => ({
        answers: [
          await anonymous(side).post("/_matrix/client/v3/register/msisdn/requestToken", {
            client_secret: `secret${n}`,
            country: "GB",
            phone_number: "07700900001",
            send_attempt: 1,
          }),
        ],
      }),
    },
  ],
  get_username_for_registration: [registration("named", false)],
  get_displayname_for_registration: [registration("shown", false)],
  on_account_data_updated: [
    accountData("global account data", false, { text: "für ☃", list: [1.5, null, { deep: true }] }),
    { ...accountData("a room's account data", true, {}), only: ["what passes"] },
  ],
  on_event_delivered_over_federation: [
    delivery,
    {
      ...remoteJoin,
      only: ["what passes"],
      async act(side, prepared, n) {
        return { ...(await remoteJoin.act(side, prepared, n)), about: "/send_join" };
      },
    },
  ],
};
