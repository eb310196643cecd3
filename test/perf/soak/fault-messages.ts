/** Faults that a message orders: what its author gets, and that who ends or hangs Node is set aside. */
import { setTimeout as pause } from "node:timers/promises";
import type { FaultTools } from "./faults.js";
import type { Actor } from "./operations.js";
import { DEADLINE_MS } from "./traffic.js";

/** Messages that the policy module obeys, and the statuses that their senders may get. */
const statuses: Readonly<Record<string, readonly number[]>> = {
  throw: [500],
  "never settle": [503],
  slow: [200],
  // It may take longer than half of the time, which is all that a module in a thread of its own has.
  flood: [200, 503],
  // The author is refused; or the time was over before it was known who it was.
  "unhandled rejection": [403, 503],
  block: [403, 503],
  exit: [403, 503],
  "out of memory": [403, 503],
};
const killing = new Set(["unhandled rejection", "block", "exit", "out of memory"]);

export const isMessage = (kind: string) => kind in statuses;
export const isKilling = (kind: string) => killing.has(kind);

const CALLBACK = "check_event_allowed";
// For what Synapse does around the callback.
const SLACK_MS = 1500;
const SET_ASIDE_MS = 15_000;
// Somebody else may end Node in the same moment.
const MOST_MESSAGES = 3;
// Until what has happened is known from the log.
const LOG_DELAY_MS = 4000;

/** Gives the statuses of what was sent. */
export async function sendFault(kind: string, author: Actor, tools: FaultTools): Promise<readonly number[]> {
  const sent: number[] = [];
  while (sent.length < MOST_MESSAGES) {
    sent.push(await sendOne(kind, author, tools));
    if (!isKilling(kind)) return sent;
    if (await isSetAside(author, tools)) {
      await expectRefusal(kind, author, tools);
      return sent;
    }
  }
  tools.problems.add("killer not set aside", `${author.client.userId}, after ${sent.length} times "${kind}"`);
  return sent;
}

async function sendOne(kind: string, author: Actor, tools: FaultTools): Promise<number> {
  const from = Date.now();
  const content = { msgtype: "m.text", body: "fault", "soak.fault": kind };
  const answer = await author.client
    .send(author.room, content)
    .catch((error) => ({ status: 0, text: `${error}` }));
  const to = Date.now();
  if (to - from > DEADLINE_MS + SLACK_MS) {
    tools.problems.add("missed deadline", `the message "${kind}" took ${to - from} ms`);
  }
  if (!statuses[kind]?.includes(answer.status) && !(await isPutOff(answer.status, from, to, tools))) {
    const got = `"${kind}" got ${answer.status} ${answer.text} after ${to - from} ms`;
    tools.problems.add("fault message with another answer", got);
  }
  return answer.status;
}

/** Whether an end of Node explains it. */
async function isPutOff(status: number, from: number, to: number, { windows }: FaultTools): Promise<boolean> {
  if (status !== 503) return false;
  await pause(LOG_DELAY_MS);
  return windows.during(from, to).some(({ isInjected }) => !isInjected);
}

async function isSetAside({ client }: Actor, { setAside }: FaultTools): Promise<boolean> {
  const until = Date.now() + SET_ASIDE_MS;
  while (!setAside.holds(client.userId, CALLBACK, Date.now())) {
    if (Date.now() > until) return false;
    await pause(100);
  }
  return true;
}

/** Be it as harmless as it may: what they say in this room is not asked about. */
async function expectRefusal(kind: string, { client, room }: Actor, tools: FaultTools): Promise<void> {
  const from = Date.now();
  const { status, text } = await client.say(room, "hello");
  if (status === 403 || (await isPutOff(status, from, Date.now(), tools))) return;
  tools.problems.add("not refused while set aside", `${client.userId}, after "${kind}": ${status} ${text}`);
}
