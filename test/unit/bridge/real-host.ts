// A host as a real process, with the modules that a test writes: for the tests of one file.
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "@jest/globals";
import { VERSION } from "../../../bridge/base/version.js";
import type { ModuleSettings } from "../../../bridge/declarations/module.js";
import { waitFor } from "../../../bridge/testing/synapse/wait.js";
import { temporaryFolder } from "../../support/temporary-folder.js";
import { type Bundle, bundle } from "./bundle.js";
import { type HostProcess, startHost } from "./child.js";
import { type Answer, INTRODUCTION, type Initialized, moduleOf } from "./rig.js";
import { INVITE } from "./samples.js";

export const folder = temporaryFolder();
export let host: HostProcess;
export let code: Bundle;

beforeAll(() => {
  code = bundle("bridge/cli.ts");
});
afterAll(() => {
  code.remove();
  folder.remove();
});
beforeEach(() => start());
afterEach(() => stop());

/** In the place of the one that each test gets. */
export function start(flags: readonly string[] = []): void {
  host = startHost(code.file, folder.root, flags);
}

export async function stop(): Promise<void> {
  if (host.child.exitCode === null) host.child.kill("SIGKILL");
  await host.ended;
  host.shim.dispose();
}

let count = 0;

/** A module that answers user_may_invite with what a function body returns. */
export function inviting(name: string, body: string, before = ""): string {
  count++;
  return folder.write(`${count}/${name}.ts`, moduleOf("user_may_invite", body, before));
}

export async function initialize(
  modules: readonly ModuleSettings[],
  more: object = {},
): Promise<Initialized> {
  return host.shim.sendRequest("initialize", { ...INTRODUCTION, version: VERSION, ...more, modules });
}

export async function load(modules: readonly ModuleSettings[], more: object = {}): Promise<void> {
  const { faults } = await initialize(modules, more);
  expect(faults).toEqual([]);
  await host.shim.sendNotification("start", {});
}

export function ask(modules: readonly string[], more: object = {}): Promise<Answer> {
  const call = { call: 1, modules, params: INVITE, request: "REQ-1", time_left_ms: 10_000, ...more };
  return host.shim.sendRequest("callback/user_may_invite", call);
}

/** Loads one module that answers user_may_invite with what a function body returns, and gives its name. */
export async function loadOne(body: string, before = ""): Promise<string> {
  const name = `module-${count}`;
  await load([{ path: inviting(name, body, before) }]);
  return name;
}

/** Asks it as long as it takes, for nobody's request. */
export const call = (name: string): Promise<Answer> =>
  host.shim.sendRequest("callback/user_may_invite", {
    ...{ call: 1, modules: [name], params: INVITE, request: null },
  });

/** Waits for a line of the log, and gives it. */
export async function logged(text: string | RegExp): Promise<Record<string, unknown>> {
  const find = () =>
    host
      .records("log")
      .find(({ msg }) => (typeof text === "string" ? String(msg).includes(text) : text.test(String(msg))));
  return waitFor(`${text} in the log`, find);
}
