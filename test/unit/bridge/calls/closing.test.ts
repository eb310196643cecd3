// `close`: when a module's own end runs, and that nothing it does holds the host.
import { expect, test } from "@jest/globals";
import { waitFor } from "../../../../bridge/testing/synapse/wait.js";
import { folder, rig } from "../each-rig.js";

const said = () => rig.lines.map(({ level, msg, module }) => [level, module, msg]);

async function closed(name: string, text: string): Promise<number> {
  await rig.load([{ path: folder.write(`${name}.ts`, `export default { ${text} };`) }]);
  await rig.shim.sendRequest("set_up", {});
  const began = performance.now();
  const ended = new Promise((resolve) => rig.host.connection.onClose(resolve));
  rig.hangUpGently();
  await ended;
  await rig.host.finish(1_000);
  return performance.now() - began;
}

test("it gets what setup returned and a log, and is awaited", async () => {
  await closed(
    "tidy",
    `setup: () => ({ open: 3 }), close: async ({ data, log, ...rest }) => { await null; log.info(data.open + " closed, " + Object.keys(rest)); }`,
  );
  await waitFor("the line", () => said().some(([, , msg]) => msg === "3 closed, "));
});

test("it does not run if setup has not succeeded", async () => {
  await closed("unready", "setup: () => { throw new Error('no'); }, close: ({ log }) => log.info('closed')");
  expect(said().map(([, , msg]) => msg)).not.toContain("closed");
});

test("what it throws is logged, with the module's name", async () => {
  await closed("broken", "close: async () => { throw new Error('cannot'); }");
  await waitFor("the line", () =>
    said().some(
      ([level, module, msg]) =>
        level === 50 && module === "broken" && /close failed: .*cannot/.test(`${msg}`),
    ),
  );
});

test("it has two seconds", async () => {
  const took = await closed("hanging", "close: () => new Promise(() => {})");
  expect(took).toBeGreaterThan(1_900);
  expect(took).toBeLessThan(3_500);
  await waitFor("the line", () =>
    said().some(([, , msg]) => msg === "hanging: close has not ended within 2 s"),
  );
});
