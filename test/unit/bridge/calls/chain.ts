// A chain of modules behind one connection, for the tests of one file.
import { afterAll, afterEach, beforeEach } from "@jest/globals";
import { temporaryFolder } from "../../../support/temporary-folder.js";
import { connect, moduleOf, type Rig } from "../rig.js";

export const folder = temporaryFolder();
export let rig: Rig;
beforeEach(() => {
  rig = connect();
});
afterEach(() => rig.hangUp());
afterAll(() => folder.remove());

let count = 0;
/** Modules `a`, `b`, ... that answer one callback with these function bodies. */
export async function load(callback: string, ...bodies: string[]): Promise<string[]> {
  count++;
  const names = bodies.map((_, index) => String.fromCharCode(97 + index));
  await rig.load(
    bodies.map((body, index) => ({
      path: folder.write(`${count}/${names[index]}.ts`, moduleOf(callback, body)),
    })),
  );
  return names;
}

export const asked = (answer: { asked: { module: string }[] }) => answer.asked.map(({ module }) => module);
