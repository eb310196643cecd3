// A chain of modules behind the rig of a test.
import { folder, rig } from "../each-rig.js";
import { moduleOf } from "../rig.js";

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
