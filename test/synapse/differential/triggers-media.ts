// Client requests that make Synapse ask about limits: uploads, the media configuration, and how often one may invite.
import type { Answer, Client } from "../../support/client.js";
import { shown } from "./normal.js";
import type { Side } from "./sides.js";
import type { Trigger } from "./trigger.js";

const userId = (side: Side, localpart: string) => `@${localpart}:${side.server.serverName}`;

const upload = (localpart: string): Trigger => ({
  title: "an upload",
  prepare: (side, n) => side.user(`${localpart}${n}`),
  when: (side, n) => ({ user_id: userId(side, `${localpart}${n}`) }),
  async act({ bob }, user: Client, n) {
    const answer = await user.upload(`content of file ${n} ☃`);
    const uri = answer.body.content_uri;
    return { answers: [answer], effect: async () => (uri ? shown(await bob.download(uri)) : "none") };
  },
});

/** How long to wait is a matter of the moment. */
function withoutTimes(answer: Answer): Answer {
  const { retry_after_ms, ...body } = answer.body;
  const text = JSON.stringify({ ...body, ...(retry_after_ms !== undefined && { retry_after_ms: "some" }) });
  return { status: answer.status, body, text };
}

const mediaConfig = (title: string, path: string): Trigger => ({
  title,
  act: async ({ alice }) => ({ answers: [await alice.get(path)] }),
});

export const mediaTriggers: Readonly<Record<string, readonly Trigger[]>> = {
  get_ratelimit_override_for_user: [
    {
      title: "two invites",
      async prepare(side, n) {
        const inviter = await side.user(`inviter${n}`);
        const { body } = await inviter.createRoom({ preset: "private_chat" });
        side.names.set(body.room_id, "<the inviter's room>");
        // Synapse also counts how often someone is invited: nobody else may have done so.
        const guests = [await side.user(`guest${n}a`), await side.user(`guest${n}b`)];
        return { inviter, room: body.room_id, guests };
      },
      when: (side, n) => ({ user: userId(side, `inviter${n}`) }),
      async act(_side, { inviter, room, guests }: { inviter: Client; room: string; guests: Client[] }) {
        const answers: Answer[] = [];
        for (const { userId } of guests) answers.push(withoutTimes(await inviter.invite(room, userId)));
        return { answers };
      },
    },
  ],
  get_media_config_for_user: [
    mediaConfig("a look at the media configuration", "/_matrix/client/v1/media/config"),
    {
      ...mediaConfig("a look at the old endpoint", "/_matrix/media/v3/config"),
      only: ["what passes", "an object"],
    },
  ],
  is_user_allowed_to_upload_media_of_size: [upload("sender")],
  get_media_upload_limits_for_user: [upload("loader")],
  on_media_upload_limit_exceeded: [
    {
      ...upload("glutton"),
      title: "an upload beyond the limit",
      also: {
        get_media_upload_limits_for_user: {
          answer: { value: [{ max_bytes: 3, time_period_ms: 3_600_000 }] },
        },
      },
    },
  ],
};
