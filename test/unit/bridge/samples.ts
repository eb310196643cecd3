// Parameters of calls. They are apart from rig.ts, so that tests without a host load none.
export const INVITE = {
  inviter: "@alice:example.org",
  invitee: "@bob:example.org",
  room_id: "!room:example.org",
};

export function event(more: object = {}): object {
  return {
    type: "m.room.message",
    sender: "@alice:example.org",
    content: { body: "hello", msgtype: "m.text" },
    event_id: "$event",
    room_id: "!room:example.org",
    room_version: "12",
    internal_metadata: { outlier: false },
    origin_server_ts: 1,
    ...more,
  };
}
