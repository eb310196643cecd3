// A mode reaches every process of a deployment with workers, PostgreSQL and Redis: how soon, after restarts, and where no Node runs.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { bridge, shim } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import { type Deployment, main, startDeployment } from "../../support/deployment.js";
import { modeCommand } from "../../support/mode-command.js";
import { installPackages } from "../../support/packages.js";
import { harnessFile } from "../../support/paths.js";
import { childrenOf } from "../../support/processes.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { modulePath } from "../features/module-path.js";

const names = [main, "worker1", "worker2"] as const;
type Name = (typeof names)[number];
const folder = temporaryFolder();
const notes = folder.path("notes.txt");
let deployment: Deployment;
let packages: string;
let alice: Client;
let room: string;

jest.setTimeout(120_000);

beforeAll(async () => {
  packages = await installPackages(harnessFile("deployment.txt"));
  deployment = await startDeployment({
    modules: [
      bridge({
        workers: [...names],
        modules: [
          {
            ...{ path: modulePath("switched.ts"), isolated: true, grants: ["store"] },
            config: { notes, path: "/_synapse/client/switched" },
          },
        ],
      }),
    ],
    workers: ["worker1", "worker2", "without"],
    pythonPath: [shim],
  });
  const { baseUrl } = deployment.process(main);
  alice = await registerUser({ baseUrl, sharedSecret: deployment.sharedSecret }, "alice");
  room = (await alice.createRoom()).body.room_id;
}, 120_000);

afterAll(async () => {
  await deployment?.stop();
  folder.remove();
});

const mode = async (...args: string[]) => {
  const ran = await modeCommand([join(deployment.dir, "homeserver.yaml"), ...args], deployment.dir, packages);
  expect([ran.code, ran.stderr]).toEqual([0, ""]);
  return ran.stdout;
};
const say = async (name: Name, body = "no") => (await deployment.through(name, alice).say(room, body)).status;
const times = (what: string) =>
  existsSync(notes)
    ? readFileSync(notes, "utf8")
        .split("\n")
        .filter((line) => line === what).length
    : 0;

/** By process, how long after the command the message "no" has had this status. */
async function holdsIn(status: number): Promise<Record<string, number>> {
  const began = performance.now();
  const measured = names.map(async (name) => {
    await waitFor(`${status} in ${name}`, async () => (await say(name)) === status);
    return [name, Math.round(performance.now() - began)] as const;
  });
  const found = Object.fromEntries(await Promise.all(measured));
  console.info(`ms until "no" gets ${status}, by process: ${JSON.stringify(found)}`);
  for (const ms of Object.values(found)) expect(ms).toBeLessThan(5_000);
  return found;
}

test.each([1, 2, 3])(
  "off and on reach every process within 5 s, and free what the module holds there (%i)",
  async () => {
    await holdsIn(403);
    const [setUp, closed] = [times("set-up"), times("closed")];
    await mode("switched", "off", "--note", "it refuses everybody");
    await holdsIn(200);
    await waitFor("each instance to be closed", () => times("closed") === closed + names.length);
    await mode("switched", "reset");
    await holdsIn(403);
    await waitFor("each instance to be set up", () => times("set-up") === setUp + names.length);
    for (const name of names)
      await waitFor("one Node", () => childrenOf(deployment.process(name).pid).length === 1);
  },
);

test("each process says what has changed, and who has changed it", async () => {
  for (const name of [...names, "without"])
    expect(deployment.process(name).log()).toMatch(
      /switched: its mode is off, as command has set at .*: it refuses everybody \(it was enforce\)/,
    );
});

test("a worker that starts again has the mode from its first call on", async () => {
  await mode("switched", "off");
  await holdsIn(200);
  const setUp = times("set-up");
  await deployment.process("worker1").stop();
  await deployment.start("worker1");
  expect(await say("worker1")).toBe(200);
  expect(times("set-up")).toBe(setUp);
  expect(deployment.process("worker1").log()).toMatch(
    /switched: its mode is off, as command has set at .* \(homeserver.yaml says enforce\)/,
  );
});

test("a mode ends by itself everywhere", async () => {
  await mode("switched", "off", "--until", "3s");
  await holdsIn(200);
  for (const name of names) await waitFor("the end", async () => (await say(name)) === 403, 10_000);
  await waitFor("its row to be removed", async () => (await mode()).includes("as in homeserver.yaml"));
});
