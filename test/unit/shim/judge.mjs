// Judges whatever it is asked, so that an answer tells whether the question has reached a handler, and as what.
const MARK = "org.example.judged";
/** What was told and not asked. */
let told = [];

function kind(value) {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** The declared fields of an event that have another type. */
function misfits(event, { types }) {
  return Object.keys(types).filter(
    (field) => event[field] !== undefined && kind(event[field]) !== types[field],
  );
}

const refuse = ({ event }, { config }) => [
  "M_LIMIT_EXCEEDED",
  { misfits: misfits(event, config), type: event.type },
];

export default {
  configSchema: { type: "object" },
  callbacks: {
    check_event_for_spam: refuse,
    federated_user_may_invite: refuse,
    should_drop_federated_event: ({ event }, { config }) => misfits(event, config).length === 0,
    check_event_allowed: {
      room_state: [["org.example.x", null]],
      async handler({ event, state_events }, { config }) {
        const declared = await state_events.getMany([["org.example.x", null]]);
        const all = await state_events.all();
        const wrong = [event, ...declared, ...all].flatMap((one) => misfits(one, config));
        return { content: { ...event.content, [MARK]: [wrong, declared.length, all.length] } };
      },
    },
    on_new_event: ({ event }, { config }) => void told.push([event.event_id, misfits(event, config)]),
    on_event_delivered_over_federation: ({ event }) =>
      void told.push(...event.event_ids.map((id) => [id, "delivered"])),
    add_field_to_unsigned_callback: ({ event }, { config }) => ({ [MARK]: misfits(event, config) }),
    get_username_for_registration() {
      const since = JSON.stringify(told);
      told = [];
      return since;
    },
    user_may_create_room: ({ room_config }) => ["M_LIMIT_EXCEEDED", { keys: Object.keys(room_config) }],
    user_may_send_state_event: ({ content }) =>
      kind(content) === "object" ? "M_LIMIT_EXCEEDED" : "M_UNKNOWN",
    on_create_room({ request_content }) {
      request_content[MARK] = Object.keys(request_content).length;
    },
    on_account_data_updated: ({ content }) => void told.push(["account data", Object.keys(content)]),
  },
};
