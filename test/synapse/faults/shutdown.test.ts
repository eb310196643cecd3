/** Synapse ends, in each way that there is, while modules work: its host ends with it, and what was asked is answered. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import type { Homeserver } from "../../support/homeserver.js";
import { host } from "../../support/host.js";
import { contextWarnings, logged } from "../../support/log.js";
import { observed } from "../../support/observed.js";
import { isGone, processOf } from "../../support/processes.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { boot } from "./boot.js";
import { lines, modulePath, order } from "./modules.js";

const rows = [
  { name: "SIGTERM", signal: "SIGTERM", to: "Synapse" },
  { name: "SIGINT", signal: "SIGINT", to: "Synapse" },
  { name: "SIGTERM to all its processes at once, as systemd does", signal: "SIGTERM", to: "all" },
  { name: "SIGINT to its process group, as Ctrl-C does", signal: "SIGINT", to: "group" },
] as const;

interface Side {
  readonly server: Homeserver;
  readonly alice: Client;
  readonly room: string;
  readonly seen: string;
}

const files = temporaryFolder();
let sides: Side[];

async function furnish(name: string): Promise<Side> {
  const seen = files.path(name);
  const modules = [{ path: modulePath("behave.ts"), config: { seen } }, { path: modulePath("busy.ts") }];
  const server = await boot({ modules: [bridge({ modules })] });
  const alice = await registerUser(server, "alice");
  const room = (await alice.createRoom()).body.room_id;
  return { server, alice, room, seen };
}

beforeAll(async () => {
  // The machine has few cores: two at a time.
  const first = await Promise.all([furnish("0"), furnish("1")]);
  const second = await Promise.all([furnish("2"), furnish("3")]);
  sides = [...first, ...second, ...(await Promise.all([furnish("killed"), furnish("killed blocked")]))];
}, 90_000);

afterAll(async () => {
  await Promise.all((sides ?? []).map(({ server }) => server.stop()));
  files.remove();
});

const begun = (seen: string, count: number) =>
  waitFor("the calls at the module", () => lines(seen).length >= count);

test.each(rows.map((row, index) => ({ ...row, index })))("$name", async ({ signal, to, index }) => {
  const { server, alice, room, seen } = sides[index] as Side;
  const node = host(server.pid);
  const sent = [
    alice.send(room, order("slow", { ms: 800 })),
    alice.send(room, order("slow", { ms: 800, callback: "check_event_for_spam" })),
  ];
  await begun(seen, 2);
  const began = performance.now();
  process.kill(server.pid, signal);
  const isReached =
    to === "all" || (to === "group" && processOf(node)?.group === processOf(server.pid)?.group);
  if (isReached) process.kill(node, signal);
  const answers = await Promise.allSettled(sent);
  expect(await server.exited).toBe(0);
  const took = (performance.now() - began).toFixed(0);
  expect(
    answers.map((answer) => (answer.status === "fulfilled" ? answer.value.status : answer.reason)),
  ).toEqual([200, 200]);
  expect(isGone(node)).toBe(true);
  expect(logged(server, "it is restarted")).toEqual([]);
  expect(logged(server, "Unhandled")).toEqual([]);
  expect(contextWarnings(server)).toEqual([]);
  for (const row of to === "Synapse" ? [34] : [34, 43])
    observed(row, { outcome: `by the module; ended after ${took} ms` });
});

test.each([
  {
    name: "the host ends within two seconds, though modules keep timers and sockets",
    does: "hang",
    index: 0,
  },
  { name: "a host whose event loop is blocked ends as well", does: "block", index: 1 },
])("SIGKILL: $name", async ({ does, index }) => {
  const { server, alice, room, seen } = sides[rows.length + index] as Side;
  const node = host(server.pid);
  const hanging = alice.send(room, order(does)).catch(() => "gone");
  await begun(seen, 1);
  process.kill(server.pid, "SIGKILL");
  expect(await server.exited).toBeNull();
  const began = performance.now();
  await waitFor("the host to end", () => isGone(node), 2_500);
  const took = (performance.now() - began).toFixed(0);
  expect(await hanging).toBe("gone");
  observed(35, { outcome: `Node ended ${took} ms after Synapse` });
});
