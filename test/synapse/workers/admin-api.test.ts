// The admin API of several processes, on PostgreSQL: each answers for all of them, also one in which no module runs.
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ADMIN_LIMITS } from "../../../bridge/catalogue/admin-api.js";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { ask } from "../../support/admin-api.js";
import { bridge, shim } from "../../support/bridge.js";
import { type Client, registerUser } from "../../support/client.js";
import { type Deployment, main, startDeployment } from "../../support/deployment.js";
import { temporaryFolder } from "../../support/temporary-folder.js";

const folder = temporaryFolder();
const source = `export default {
  callbacks: {
    user_may_create_room: ({ user_id }) => (user_id.startsWith("@crasher") ? process.exit(3) : "NOT_SPAM"),
  },
};
`;
const path = folder.write("policy.mjs", source);
let deployment: Deployment;
let admin: Client;

const statusFrom = (name: string) => ask(deployment.through(name, admin), "GET status");
const namesFrom = async (name: string) => (await statusFrom(name)).processes.map((process) => process.name);

beforeAll(async () => {
  deployment = await startDeployment({
    modules: [bridge({ modules: [{ path }], workers: [main, "worker1"] })],
    workers: ["worker1", "worker2"],
    pythonPath: [shim],
  });
  const { sharedSecret } = deployment;
  admin = await registerUser({ baseUrl: deployment.process(main).baseUrl, sharedSecret }, "admin", {
    admin: true,
  });
}, 150_000);
afterAll(async () => {
  await deployment?.stop();
  folder.remove();
});

test("each process tells of all of them", async () => {
  const names = [main, "worker1", "worker2"];
  for (const name of names) {
    await waitFor(
      `all, from ${name}`,
      async () => (await namesFrom(name)).length === 3,
      ADMIN_LIMITS.status_ms * 2,
    );
    const status = await statusFrom(name);
    expect(status.processes.map((process) => [process.name, process.runs_modules, process.up])).toEqual([
      [main, true, true],
      ["worker1", true, true],
      ["worker2", false, false],
    ]);
    expect(status.modules).toEqual([{ name: "policy", mode: "enforce", yaml_mode: "enforce" }]);
  }
});

test("a quarantine of one process can be ended through another", async () => {
  const { sharedSecret } = deployment;
  const crasher = await registerUser({ baseUrl: deployment.process(main).baseUrl, sharedSecret }, "crasher");
  const held = async () => {
    const { processes } = await statusFrom("worker2");
    return processes.flatMap(({ name, modules }) =>
      modules.flatMap((one) => one.quarantines.map(({ id }) => ({ name, id }))),
    );
  };
  await deployment.through("worker1", crasher).createRoom();
  const [found] = await waitFor(
    "the quarantine",
    async () => {
      const all = await held();
      return all.length > 0 && all;
    },
    20_000,
  );
  expect(found?.name).toBe("worker1");
  const id = found?.id ?? "";
  const ended = await ask(deployment.through("worker2", admin), "DELETE quarantines/<id>", { name: id });
  expect(ended).toEqual({ id, processes: ["worker1"] });
  await waitFor("its end", async () => (await held()).length === 0, ADMIN_LIMITS.status_ms * 2);
});

test("a mode is set through a process in which no module runs, and is in force in the others", async () => {
  const through = deployment.through("worker2", admin);
  const inForce = async (mode: string) => {
    const { processes } = await statusFrom("worker2");
    return processes.every(({ modules }) => modules.every((one) => one.mode === mode));
  };
  const { override } = await ask(through, "PUT modules/<name>", { name: "policy", json: { mode: "shadow" } });
  expect(override).toMatchObject({ mode: "shadow", by: admin.userId });
  // The status is some seconds old.
  await waitFor("the mode", () => inForce("shadow"), ADMIN_LIMITS.status_ms * 2);
  expect(await ask(through, "DELETE modules/<name>", { name: "policy" })).toMatchObject({ mode: "enforce" });
  await waitFor("the other mode", () => inForce("enforce"), ADMIN_LIMITS.status_ms * 2);
});

test("a reload is asked for through a process in which no module runs", async () => {
  const versions = async () => {
    const { processes } = await statusFrom("worker2");
    return new Set(processes.flatMap(({ modules }) => modules.map(({ files }) => files)));
  };
  const before = await versions();
  folder.write("policy.mjs", `${source}// changed\n`);
  const { processes } = await ask(deployment.through("worker2", admin), "POST reload");
  const reloaded = { outcome: "reloaded", changed: ["policy"] };
  expect(processes).toEqual({ [main]: reloaded, worker1: reloaded });
  // Much sooner than a status is written regularly.
  await waitFor(
    "the new version in the status of each",
    async () => {
      const now = await versions();
      return now.size === 1 && ![...now].some((one) => before.has(one));
    },
    ADMIN_LIMITS.status_ms / 4,
  );
});

test("a process that has ended is gone from the status, and its row from the database", async () => {
  await deployment.process("worker1").stop();
  await waitFor(
    "its end",
    async () => !(await namesFrom("worker2")).includes("worker1"),
    ADMIN_LIMITS.status_expires_ms + ADMIN_LIMITS.status_ms,
  );
});
