// Client requests that make Synapse ask who sees whose presence.
import type { Answer, Client } from "../../support/client.js";
import type { Side } from "./sides.js";
import type { Trigger } from "./trigger.js";

export const watcherId = (side: Side, n: number) => `@watcher${n}:${side.server.serverName}`;
export const starId = (side: Side, n: number) => `@star${n}:${side.server.serverName}`;

interface People {
  readonly watcher: Client;
  readonly star: Client;
}

const announce = (star: Client, status_msg: string) =>
  star.put(`/_matrix/client/v3/presence/${star.userId}/status`, { presence: "online", status_msg });

const sync = (watcher: Client, more: Readonly<Record<string, string>>) =>
  watcher.sync({ set_presence: "offline", timeout: "0", ...more });

/** Whose presence the watcher sees; the times and the rest of a sync differ. */
function presenceIn({ status, body }: Answer): Answer {
  // biome-ignore lint/suspicious/noExplicitAny: any JSON
  const events: any[] = body.presence?.events ?? [];
  const seen = events
    .map(({ sender, content }) => ({ sender, presence: content.presence, status_msg: content.status_msg }))
    .sort((a, b) => (a.sender < b.sender ? -1 : 1));
  const shown = status === 200 ? { seen } : body;
  return { status, body: shown, text: JSON.stringify(shown) };
}

/** Two users who share no room, of whom one is online. */
async function people(side: Side, n: number): Promise<People> {
  const watcher = await side.user(`watcher${n}`);
  const star = await side.user(`star${n}`);
  await announce(star, "here I am");
  return { watcher, star };
}

export const firstSync: Trigger = {
  title: "a first sync",
  prepare: people,
  async act(_side, { watcher }: People) {
    return { answers: [presenceIn(await sync(watcher, {}))], about: watcher.userId };
  },
};

/** The watcher waits for news when a presence changes. */
export const watchedChange: Trigger = {
  title: "a change while another user waits for it",
  async prepare(side, n) {
    const two = await people(side, n);
    return { ...two, since: (await sync(two.watcher, {})).body.next_batch };
  },
  async act(_side, { watcher, star, since }: People & { since: string }) {
    const waiting = sync(watcher, { since, timeout: "10000" });
    const answer = await announce(star, "look at me");
    return { answers: [answer, presenceIn(await waiting)], about: star.userId };
  },
};

export const presenceTriggers: Readonly<Record<string, readonly Trigger[]>> = {
  get_users_for_states: [
    {
      title: "a change",
      prepare: people,
      async act(_side, { star }: People) {
        return { answers: [await announce(star, "look at me")], about: star.userId };
      },
    },
  ],
  get_interested_users: [firstSync],
};
