// Threads that native code does not let end: a module that has too many of them gets no more, until Node is started anew.
import { readFileSync, rmSync } from "node:fs";
import { afterEach, expect, test } from "@jest/globals";
import { waitFor } from "../../../../bridge/testing/synapse/wait.js";
import { observed } from "../../../support/observed.js";
import { isAlive } from "../../../support/processes.js";
import { ask, folder, host, inviting, load, logged } from "../real-host.js";
import { errorOf } from "../rig.js";
import { INVITE } from "../samples.js";

const bad = { params: { ...INVITE, room_id: "!bad" } };
const WAITS = `${folder.root}/waits`;
const PIDS = `${folder.root}/pids`;
// Until the test lets it end.
const COMMAND = `echo $$ >> ${PIDS}; while [ -e ${WAITS} ]; do sleep 0.1; done`;
const EXEC = 'import { execSync } from "node:child_process";';
const NODE_STAYS = "the threads that native code held have ended: Node stays";

const waits = () =>
  inviting("own", `if (params.room_id === "!bad") execSync("${COMMAND}"); return NOT_SPAM;`, EXEC);
const beside = () => ({ path: inviting("beside", "return NOT_SPAM;") });
const pids = () => readFileSync(PIDS, "utf8").trim().split("\n").map(Number);

afterEach(() => rmSync(WAITS, { force: true }));

/** Lets native code hold so many threads of the module, most of them made for suspects, which are given up sooner. */
async function hold(count: number): Promise<void> {
  rmSync(PIDS, { force: true });
  folder.write("waits", "");
  for (let apart = 1; apart < count; apart++)
    await errorOf(ask(["own"], { ...bad, apart: { linger_ms: 0 }, time_left_ms: 1_000 }));
  await errorOf(ask(["own"], bad));
}

test("Node ends once a module has too many threads that native code holds, with what they wait for, and names the module", async () => {
  await load([beside(), { path: waits(), isolated: true }]);
  await hold(8);
  expect(await host.ended).toBe("SIGKILL");
  const cause = "native code holds 8 threads";
  expect(host.records("ends")).toEqual([{ cause, module: "own", code: -9 }]);
  const told = host.records("log").filter(({ module, level }) => module === "own" && Number(level) >= 50);
  expect(told.map(({ level, msg }) => [level, msg]).slice(-2)).toEqual([
    [
      50,
      `own is down: ${cause} that were given up, such as in execSync, 8 of own: Node is ended and started anew`,
    ],
    [60, cause],
  ]);
  expect(pids()).toHaveLength(8);
  await waitFor("what native code waits for to end", () => !pids().some(isAlive));
  observed(76, { on: "real host", outcome: "Node has ended itself, and the log names the module" });
}, 60_000);

test("Node stays while it is to bear that, the module is down, and gets a thread as soon as native code lets one end", async () => {
  await load([beside(), { path: waits(), isolated: true }], { held_patience_ms: 60_000 });
  await hold(8);
  await logged(/^own is down: .* Node is ended and started anew in 60 s, unless they end before$/);
  const down = {
    code: -32003,
    message: expect.stringContaining("8 threads before it are held by native code"),
  };
  expect(await errorOf(ask(["own"]))).toMatchObject(down);
  expect(await ask(["beside"])).toMatchObject({ answer: "NOT_SPAM" });
  rmSync(WAITS);
  await logged(NODE_STAYS);
  await logged("the thread of own is back");
  expect(await ask(["own"])).toMatchObject({ answer: "NOT_SPAM" });
  expect(host.child.exitCode).toBeNull();
  expect(host.records("log").filter(({ msg }) => String(msg).startsWith("own is down"))).toHaveLength(1);
}, 60_000);

test("with fewer of them, Node stays, and the shim is not told that it loads anything", async () => {
  const told: object[] = [];
  host.shim.onNotification("loading", (params) => void told.push(params));
  await load([beside(), { path: waits(), isolated: true }]);
  await hold(7);
  expect(await ask(["own"])).toMatchObject({ answer: "NOT_SPAM" });
  expect(told).toMatchObject([{ name: "beside" }, { name: "own" }]);
  expect(host.child.exitCode).toBeNull();
}, 60_000);
