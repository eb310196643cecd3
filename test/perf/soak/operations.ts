/** What the clients of the soak do: requests that a seed determines, and what policy may answer instead of the modules. */
import type { Answer, Client } from "../../support/client.js";
import type { Random } from "../../support/random.js";

/** A user of one of the servers, and the room that they have made there. */
export interface Actor {
  readonly client: Client;
  readonly room: string;
}

export type Role = "talker" | "creator" | "renamer" | "attacker";

export interface Operation {
  readonly kind: string;
  readonly role: Role;
  /** It costs both servers more than what others send. */
  readonly isAttack?: boolean;
  /** The callbacks that it leads to, one after the other. */
  readonly callbacks: readonly string[];
  /** Does it; the first answer is the one that policies may change, the others tell what came of it. */
  run(actor: Actor): Promise<readonly Answer[]>;
  /** Whether an answer is what the failure policy makes of this request. */
  isPolicy(answer: Answer): boolean;
}

const weights = { message: 60, state: 12, invite: 8, upload: 8, search: 6, create: 3, rename: 3 };
const words = { plain: 50, casino: 8, lottery: 8, card: 14, teapot: 8, forbidden: 8, deep: 4 };
const roomNames = { plain: 60, casino: 20, explode: 20 };
export const searchTerm = "soak";

/** The failure policy `defer`, as a local client sees it. */
export function isUnavailable({ status, body }: Answer): boolean {
  return status === 503 && body?.errcode === "M_UNKNOWN" && body?.error === "policy unavailable";
}
const isOk = ({ status }: Answer) => status === 200;
const refusedAsSpam = (word: string) => word === "casino" || word === "lottery";

/** The n-th operation. Nothing is done twice: what one fault has kept from one server must not matter later. */
export function makeOperation(random: Random, n: number): Operation {
  return makers[random.weighted(weights)](random, n);
}

const makers: Record<keyof typeof weights, (random: Random, n: number) => Operation> = {
  message(random, n) {
    const word = random.weighted(words);
    const content = { msgtype: "m.text", body: `${word} ${n} ${"y".repeat(random.between(0, 1500))}` };
    return {
      ...{ kind: "message", role: "talker", callbacks: ["check_event_allowed", "check_event_for_spam"] },
      async run({ client, room }) {
        const sent = await client.send(room, content, "m.room.message", `soak-${n}`);
        return isOk(sent) && word === "card" ? [sent, await client.event(room, sent.body.event_id)] : [sent];
      },
      // Both may fail in a row: then the second has let it through.
      isPolicy: (answer) => isUnavailable(answer) || (refusedAsSpam(word) && isOk(answer)),
    };
  },
  state(random, n) {
    const word = random.weighted(words);
    const type = random.next() < 0.2 ? "soak.locked" : "soak.note";
    const key = random.pick(["", "a", "b"]);
    return {
      ...{ kind: "state", role: "talker" },
      callbacks: ["user_may_send_state_event", "check_event_allowed", "check_event_for_spam"],
      async run({ client, room }) {
        const set = await client.setState(room, type, key, { body: `${word} ${n}` });
        return isOk(set) ? [set, await client.getState(room, type, key)] : [set];
      },
      isPolicy: (answer) => isUnavailable(answer) || (refusedAsSpam(word) && isOk(answer)),
    };
  },
  invite(random, n) {
    const invitee = random.pick(["@good", "@good", "@good", "@bad", "@odd"]);
    return {
      ...{ kind: "invite", role: "talker", callbacks: ["user_may_invite", "check_event_allowed"] },
      run: async ({ client, room }) => [
        await client.invite(room, `${invitee}${n}:${client.userId.split(":")[1]}`),
      ],
      isPolicy: isUnavailable,
    };
  },
  upload(random, n) {
    const bad = random.next() < 0.3;
    const content = `${bad ? "virus" : "letter"} ${n} ${"z".repeat(random.between(0, 20_000))}`;
    return {
      ...{ kind: "upload", role: "talker", callbacks: ["check_media_file_for_spam"] },
      run: async ({ client }) => [await client.upload(content)],
      isPolicy: isUnavailable,
    };
  },
  search() {
    return {
      ...{ kind: "search", role: "talker", callbacks: Array(4).fill("check_username_for_spam") },
      run: async ({ client }) => [await client.searchUsers(searchTerm)],
      isPolicy: ({ body }) =>
        body.results?.some(({ user_id }: { user_id: string }) => user_id.startsWith("@soakhidden")),
    };
  },
  create(random, n) {
    const alias = random.next() < 0.3 ? `reserved${n}` : `free${n}`;
    const name = `${random.weighted(roomNames)} ${n}`;
    return {
      ...{ kind: "create", role: "creator" },
      callbacks: [
        ...["on_create_room", "user_may_create_room", "user_may_create_room_alias"],
        ...Array(6).fill("check_event_allowed"),
      ],
      async run({ client }) {
        const made = await client.createRoom({ name, room_alias_name: alias, preset: "public_chat" });
        return isOk(made) ? [made, await client.roomState(made.body.room_id)] : [made];
      },
      isPolicy: isUnavailable,
    };
  },
  rename(_random, n) {
    return {
      ...{ kind: "rename", role: "renamer", callbacks: ["check_event_allowed"] },
      async run({ client }) {
        const set = await client.setProfile("displayname", `name ${n}`);
        // Synapse itself cancels one task of a rename before, and fails where two have been left over.
        const again = set.status === 500 ? await client.setProfile("displayname", `name ${n}`) : set;
        return [again, await client.profile()];
      },
      isPolicy: () => false,
    };
  },
};
